import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from '@holdfast/access-anomaly';
import { randomBelow, SeededRng } from '@holdfast/model';
import { Witness } from '../cluster/support/evidence.ts';
import { feed } from '../cluster/support/feeder.ts';
import type { NodeProcess } from '../cluster/support/node-process.ts';
import { pause, waitFor } from '../cluster/support/wait.ts';
import { ClusterOnKafka } from './cluster-on-kafka.ts';

/** HOLDFAST_KAFKA_RECORDS=2000000 is the long form. */
const records = Number(process.env.HOLDFAST_KAFKA_RECORDS ?? 200_000);
const seed = Number(process.env.HOLDFAST_FIRE_SEED ?? Date.now() % 1_000_000);
const users = 120_000;
const dirtyUnitsMin = 10_000;
/** Of the records, until the cluster is left alone with what it has. */
const underFireRatio = 0.75;

test('kill -9 and a broker restart on Kafka and Redis: every record counts once', { timeout: 1_800_000 }, async (t) => {
  const startMs = performance.now();
  const say = (text: string) => t.diagnostic(`${((performance.now() - startMs) / 1000).toFixed(1)} s  ${text}`);
  say(`HOLDFAST_FIRE_SEED=${seed}, ${records} records`);
  const rng = new SeededRng(seed);
  const cluster = await ClusterOnKafka.create({ partitions: 3, backupInterval: '30s' });
  const witness = new Witness(cluster);
  let isRight = false;
  let eventsDone = () => {};
  try {
    for (const node of cluster.nodes) node.start();
    await cluster.healthy();
    say('three nodes serve');
    const underFire = Math.floor(records * underFireRatio);
    const atLeastUntil = new Promise<void>((resolve) => {
      eventsDone = resolve;
    });
    // A slow machine backs up what it has before enough is dirty: records go on coming until it was.
    const feeding = feed(cluster, { seed, records: underFire, users, overMs: records / 10, atLeastUntil });
    feeding.catch(() => undefined);
    let killedAt = Number.NaN;
    const kill = async (node: NodeProcess) => {
      say(`kill -9 ${node.id}, ${witness.dirtyUnits(node.id)} dirty units`);
      witness.noteUncleanEnd(node.id);
      await node.signal('SIGKILL');
    };
    /** Records. */
    const routed = async () => {
      const ends = await cluster.log.endOffsets('access-log');
      const lag = witness.last?.ingest.lagRecords;
      return lag == null ? 0 : ends.reduce((sum, end) => sum + end, 0) - Number(lag);
    };
    const reached = (ratio: number) =>
      waitFor(`${Math.round(ratio * 100)} % of the input`, 600_000, async () => {
        return (await routed()) >= ratio * records ? true : null;
      });
    /** Of 20 to 70 %, in hundredths. */
    const somewhere = () => (20 + randomBelow(rng, 50)) / 100;
    const mostDirty = () => [...cluster.nodes].sort((a, b) => witness.dirtyUnits(b.id) - witness.dirtyUnits(a.id))[0]!;
    const isDirty = (node: NodeProcess) => witness.dirtyUnits(node.id) >= dirtyUnitsMin;

    const events: { at: number; run: () => Promise<void> }[] = [
      {
        at: somewhere(),
        run: async () => {
          const victim = await waitFor('a node with many dirty users', 120_000, () =>
            isDirty(mostDirty()) ? mostDirty() : null,
          );
          killedAt = await routed();
          await kill(victim);
          await pause(randomBelow(rng, 3_000));
          victim.start();
          say(`${victim.id} starts again`);
        },
      },
      {
        at: somewhere(),
        run: async () => {
          say('the broker is restarted');
          await cluster.kafka.stopBroker(1, randomBelow(rng, 2) === 0 ? 'SIGTERM' : 'SIGKILL');
          cluster.kafka.startBroker(1);
          await cluster.kafka.ready();
          say('the broker is back');
        },
      },
    ];
    for (const { at, run } of events.sort((a, b) => a.at - b.at)) {
      await reached(at);
      say(`at ${Math.round(at * 100)} %`);
      await run();
    }
    eventsDone();
    let fed = await feeding;
    say(`${fed} records fed`);

    // A node dies for good while nobody has a later record of its users to read.
    const tail = records - underFire;
    for (let tries = 0; tries < 3 && (tries === 0 || !isDirty(mostDirty())); tries++) {
      fed += await feed(cluster, { seed: seed + tries + 1, records: tail, users, overMs: tail / 25 });
      await waitFor('everything to be applied', Math.max(180_000, records / 4), () =>
        witness.last?.ingest.lagRecords === '0' ? true : null,
      );
      // A status that was made after the last record was applied.
      const seen = witness.last;
      await waitFor('another status', 10_000, () => (witness.last === seen ? null : true));
    }
    const last = mostDirty();
    assert.ok(isDirty(last), `${last.id} has ${witness.dirtyUnits(last.id)} dirty units`);
    await kill(last);
    await cluster.waitUntilCommitted(300_000);
    say('all committed');
    await witness.stop();

    const offsets = await cluster.offsetsByTool();
    assert.equal(offsets.length, 3);
    for (const { partition, committed, end } of offsets) assert.equal(committed, end, `partition ${partition}`);
    const end = offsets.reduce((sum, { end }) => sum + end, 0);
    const recounted = await cluster.recounted();
    const killedAtRatio = killedAt / end;
    assert.ok(killedAtRatio >= 0.15 && killedAtRatio <= 0.8, `killed at ${killedAtRatio} of the input`);
    assert.ok(recounted.records >= fed && recounted.records === end, `${recounted.records} records, ${fed} fed`);
    say('recounted');
    const exported = await cluster.exported();
    say(`${exported.length} users exported`);
    const { lost, duplicates, differences } = compare(exported, recounted);
    t.diagnostic(
      JSON.stringify({
        records: recounted.records,
        killedAtRatio,
        users: exported.length,
        lost,
        duplicates,
        seen: witness.seen,
      }),
    );
    assert.deepEqual(differences.slice(0, 5), []);
    assert.equal(lost, 0);
    assert.equal(duplicates, 0);
    const { forwarded, replayed, uncleanEndsWithDirtyUnits } = witness.seen;
    assert.ok(forwarded > 0 && replayed > 0, 'records were forwarded, and some read again');
    assert.equal(uncleanEndsWithDirtyUnits, 2);
    isRight = true;
  } finally {
    eventsDone();
    await witness.stop();
    if (!isRight) say(`kept for a look: ${cluster.dir}`);
    await cluster.dispose(!isRight);
  }
});
