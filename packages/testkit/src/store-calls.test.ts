import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultShardSettings, type FromShard, SessionProof, Shard, ShardStats } from '@holdfast/engine';
import { LeaseTable } from '@holdfast/lease';
import { hashUnit, silentLogger, unitHashOut } from '@holdfast/model';
import { defaultRecordLimits, type Job, noCrashNotes } from '@holdfast/processor';
import { LeapingTime } from './leaping-time.test.ts';
import { MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryLog, MemoryLogDisk } from './memory-log.ts';
import { MemoryNetwork } from './memory-network.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { countingJob } from './record-simulation/counting-job.ts';
import type { TwinHooks } from './twin-hooks.ts';

const incarnation = { counter: 1, shards: 1, addresses: ['a', 'b'], version: '1' };
const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** A shard that holds all users and reads their only partition, beside another session that may end. */
async function begin(hooks: TwinHooks) {
  const time = new LeapingTime();
  const log = new MemoryLog(new MemoryLogDisk(), time, {});
  const { topicId } = await log.createTopic('in', 1);
  const disk = new MemoryStoreDisk();
  const table = new LeaseTable();
  const replay = (record: Parameters<LeaseTable['replay']>[0]): void => {
    const index = table.tableIndex + 1;
    table.replay(record, index);
    table.publishIndex(index);
  };
  replay({ kind: 'epochBase', base: 0 });
  replay({ kind: 'generationChanged', storeGeneration: disk.generationId, number: 1 });
  replay({ kind: 'sessionOpened', nodeId: 'n1' as never, uuid: 'u1', ...incarnation });
  replay({ kind: 'sessionOpened', nodeId: 'n2' as never, uuid: 'u2', ...incarnation });
  const [session, other] = [3 as never, 4 as never];
  const units = users.flatMap((user) => {
    const key = Buffer.from(user);
    hashUnit(key, 0, key.length);
    return [unitHashOut.hi, unitHashOut.lo];
  });
  replay({ kind: 'granted', session, shard: 0 as never, units: Uint32Array.from(units) });
  const said: FromShard[] = [];
  const shard = new Shard({
    shard: 0 as never,
    job: countingJob(() => {}) as Job,
    log,
    store: new MemoryBackupStore(disk, hooks),
    transport: new MemoryRecordTransport({ network: new MemoryNetwork(), site: 'n1', localShard: () => null }),
    timers: time,
    logger: silentLogger,
    stats: new ShardStats(),
    crashNotes: noCrashNotes,
    send: (message) => void said.push(message),
    limits: defaultRecordLimits,
    settings: { ...defaultShardSettings, backupIntervalMs: 30_000 },
  });
  await shard.start();
  shard.receive({ kind: 'table', buffer: table.buffer });
  shard.receive({ kind: 'generation', number: 1, generationId: disk.generationId, index: 2 });
  const proof = new SessionProof();
  proof.extend(Number.POSITIVE_INFINITY);
  shard.receive({ kind: 'session', session, proof: proof.buffer });
  const self = { session, nodeId: 'n1' as never, shardAddresses: ['n1/0'], closing: false };
  shard.receive({ kind: 'directory', sessions: [self] });
  shard.receive({ kind: 'partitions', partitions: [{ topic: 'in', topicId, partition: 0, epoch: 9 }] });
  return {
    time,
    feed: (user: string) => log.append('in', 0, [{ key: null, value: Buffer.from(user) }]),
    loseOther: () => {
      replay({ kind: 'sessionEnded', session: other, reason: 'expired' });
      shard.receive({ kind: 'advanced' });
    },
    async end() {
      assert.deepEqual(
        said.filter(({ kind }) => kind === 'failed'),
        [],
      );
      const closing = shard.close();
      await time.pass(1_000);
      await closing;
    },
  };
}

test('a round comes soon after a shard begins, and after an unclean end; else once in the interval', async () => {
  let backups = 0;
  const hooks = { before: (operation: string) => void (operation === 'backup' && backups++) };
  const { time, feed, loseOther, end } = await begin(hooks);
  await feed('a');
  await time.pass(2_000);
  assert.equal(backups, 0);
  await time.pass(3_000);
  assert.equal(backups, 1);
  await feed('a');
  await time.pass(20_000);
  assert.equal(backups, 1, 'not before the interval is over');
  loseOther();
  await time.pass(2_000);
  assert.equal(backups, 1);
  await time.pass(3_000);
  assert.equal(backups, 2);
  await end();
});

test('a claim does not wait for the answer to others; so many calls are under way at most', async () => {
  const held: (() => void)[] = [];
  const hooks: TwinHooks = {
    before: (operation) => (operation === 'claim' ? new Promise<void>((resolve) => held.push(resolve)) : undefined),
  };
  const { time, feed, end } = await begin(hooks);
  for (const user of users) {
    await feed(user);
    await time.pass(1_000);
  }
  assert.equal(held.length, 4);
  held[0]!();
  await time.pass(1_000);
  assert.equal(held.length, 5, 'all that waited, in one');
  for (const release of held) release();
  await time.pass(1_000);
  assert.equal(held.length, 5);
  await end();
});
