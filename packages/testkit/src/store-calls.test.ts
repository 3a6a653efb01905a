import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultShardSettings, type FromShard, SessionProof, Shard, ShardStats } from '@holdfast/engine';
import { LeaseTable } from '@holdfast/lease';
import { bucketCount, bucketOf, hashUnit, silentLogger, unitHashOut } from '@holdfast/model';
import { defaultRecordLimits, type Job, noCrashNotes } from '@holdfast/processor';
import { LeapingTime } from './leaping-time.test.ts';
import { MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryLog, MemoryLogDisk } from './memory-log.ts';
import { MemoryNetwork } from './memory-network.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { countingJob } from './record-simulation/counting-job.ts';
import type { TwinHooks } from './twin-hooks.ts';

const incarnation = { counter: 1, shards: 1, addresses: ['a', 'b'], version: '1' };
const [sharing, sharingToo] = twoOfOneBucket();
const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g', sharing, sharingToo];

function hashOf(user: string): { hi: number; lo: number } {
  const key = Buffer.from(user);
  hashUnit(key, 0, key.length);
  return { ...unitHashOut };
}

function bucketOfUser(user: string): number {
  const { hi, lo } = hashOf(user);
  return bucketOf(hi, lo);
}

/** Two users whose vectors have the same markers as their floor. */
function twoOfOneBucket(): [string, string] {
  const seen = new Map<number, string>();
  for (let n = 0; ; n++) {
    const bucket = bucketOfUser(`user-${n}`);
    const earlier = seen.get(bucket);
    if (earlier !== undefined) return [earlier, `user-${n}`];
    seen.set(bucket, `user-${n}`);
  }
}

/**
 * A shard that holds all users and reads their only partition, beside another session that may end.
 * @param earlier users whose records were counted by holders before: all markers are past them
 */
async function begin(hooks: TwinHooks, earlier: readonly string[] = []) {
  const time = new LeapingTime();
  const log = new MemoryLog(new MemoryLogDisk(), time, {});
  const { topicId } = await log.createTopic('in', 1);
  const feed = (user: string) => log.append('in', 0, [{ key: null, value: Buffer.from(user) }]);
  const disk = new MemoryStoreDisk();
  for (const user of earlier) await feed(user);
  const marks = Array.from({ length: earlier.length > 0 ? bucketCount : 0 }, (_, bucket) => {
    return { bucket, partition: { topicId, partition: 0 }, offset: earlier.length };
  });
  await new MemoryBackupStore(disk).mark(disk.generationId, marks);
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
    const { hi, lo } = hashOf(user);
    return [hi, lo];
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
    disk,
    /** The table's part of a new generation; the shard hears of it by `tell`. */
    newGeneration: () => {
      disk.lose();
      replay({ kind: 'generationChanged', storeGeneration: disk.generationId, number: 2 });
      const index = table.tableIndex;
      return { tell: () => shard.receive({ kind: 'generation', number: 2, generationId: disk.generationId, index }) };
    },
    committed: async () => (await log.committed('counting', { topicId, partition: 0 }))?.offset ?? 0,
    /** Somebody else claims all users, of which the table knows nothing yet. */
    claimElsewhere: () => {
      const claims = users.map((_, i) => ({ hi: units[2 * i]!, lo: units[2 * i + 1]!, epoch: 1_000 }));
      return new MemoryBackupStore(disk).claim(disk.generationId, claims);
    },
    feed,
    /** Users whose state is in the store. */
    rowCount: () => [...disk.rows.values()].filter(({ row }) => row !== null).length,
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

test('of what a row was fenced for nothing is durable before the table shows the end of its lease', async () => {
  let isElsewhere = false;
  const { time, feed, committed, claimElsewhere, end } = await begin({
    before: async (operation) => {
      if (operation !== 'backup' || isElsewhere) return;
      isElsewhere = true;
      await claimElsewhere();
    },
  });
  await feed('a');
  await time.pass(60_000);
  assert.deepEqual([isElsewhere, await committed()], [true, 0]);
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

test('rows do not wait for the markers of a round that has ended; the next round does', async () => {
  const held: (() => void)[] = [];
  let holding = true;
  let backups = 0;
  const hooks: TwinHooks = {
    before: (operation) => {
      if (operation === 'backup') backups++;
      return operation === 'mark' && holding ? new Promise<void>((resolve) => held.push(resolve)) : undefined;
    },
  };
  const { time, feed, disk, end } = await begin(hooks);
  // A frame tells how far its partition is durable: from the second on there is something to mark.
  await feed('a');
  await time.pass(5_000);
  await feed('a');
  await time.pass(40_000);
  assert.deepEqual([backups, held.length], [2, 1], 'the second round is over but for its markers');
  await feed('a');
  await time.pass(80_000);
  assert.deepEqual([backups, held.length], [3, 1], 'the rows of the third have been written');
  assert.equal(disk.markers.size, 0);
  holding = false;
  held[0]!();
  await time.pass(1_000);
  const offsets = [...disk.markers.values()].flatMap((markers) => [...markers.values()].map(({ offset }) => offset));
  assert.deepEqual(offsets, [2], 'those of both');
  await end();
});

test('what was made for one generation does not reach the store as another’s, though the table moves on between', async () => {
  const { time, feed, rowCount, newGeneration, end } = await begin({});
  await feed('a');
  await time.pass(1_000);
  // Read once for each call with rows, when they have been taken: here another thread writes the shared table.
  const wallUnixMs = time.wallUnixMs.bind(time);
  let tell = () => {};
  time.wallUnixMs = () => {
    time.wallUnixMs = wallUnixMs;
    ({ tell } = newGeneration());
    return wallUnixMs();
  };
  await time.pass(5_000);
  assert.equal(time.wallUnixMs, wallUnixMs, 'a row was taken');
  tell();
  await time.pass(100);
  assert.equal(rowCount(), 0, 'the unit is claimed anew before its row is written');
  await time.pass(40_000);
  assert.equal(rowCount(), 1);
  await end();
});

test('an answer of the store before counts for nothing: its markers are no floor for what the next one lacks', async () => {
  let tell: (() => void) | null = null;
  const hooks: TwinHooks = {
    // The reply is on its way while another thread writes the shared table.
    after: (operation) => {
      if (operation === 'claim') tell ??= shard.newGeneration().tell;
    },
  };
  const shard = await begin(hooks, [sharing, sharing]);
  const { time, feed, rowCount, end } = shard;
  await feed(sharingToo);
  await time.pass(1_000);
  tell!();
  await time.pass(60_000);
  assert.equal(rowCount(), 2, 'both count, from their first record on');
  await end();
});
