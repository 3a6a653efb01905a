import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultShardSettings, type FromShard, SessionProof, Shard, ShardStats } from '@holdfast/engine';
import { LeaseTable } from '@holdfast/lease';
import { silentLogger } from '@holdfast/model';
import { defaultRecordLimits, type Job, noCrashNotes } from '@holdfast/processor';
import { LeapingTime } from './leaping-time.test.ts';
import { MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryLog, MemoryLogDisk } from './memory-log.ts';
import { MemoryNetwork } from './memory-network.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { countingJob } from './record-simulation/counting-job.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const hourMs = 60 * 60 * 1_000;

test('an offset that does not change is committed again as long as its partition is read here under a live session', async () => {
  const time = new LeapingTime();
  let commits = 0;
  const hooks = { before: (operation: string) => void (operation === 'commit' && commits++) };
  const log = new MemoryLog(new MemoryLogDisk(), time, hooks);
  const { topicId } = await log.createTopic('in', 1);
  // Records that the job passes over are durable at once.
  await log.append('in', 0, [{ key: null, value: Buffer.from('-') }]);
  const disk = new MemoryStoreDisk();
  const table = new LeaseTable();
  table.replay({ kind: 'epochBase', base: 0 }, 1);
  table.replay({ kind: 'generationChanged', storeGeneration: disk.generationId, number: 1 }, 2);
  const transport = new MemoryRecordTransport({
    network: new MemoryNetwork(),
    site: 'n1',
    localShard: () => null,
  });
  const said: FromShard[] = [];
  const shard = new Shard({
    shard: 0 as never,
    job: countingJob(() => {}) as Job,
    log,
    store: new MemoryBackupStore(disk),
    transport,
    timers: time,
    logger: silentLogger,
    stats: new ShardStats(),
    crashNotes: noCrashNotes,
    send: (message) => void said.push(message),
    limits: defaultRecordLimits,
    settings: defaultShardSettings,
  });
  await shard.start();
  shard.receive({ kind: 'table', buffer: table.buffer });
  shard.receive({ kind: 'generation', number: 1, generationId: disk.generationId, index: 2 });
  const proof = new SessionProof();
  proof.extend(Number.POSITIVE_INFINITY);
  shard.receive({ kind: 'session', session: 9, proof: proof.buffer });
  shard.receive({ kind: 'partitions', partitions: [{ topic: 'in', topicId, partition: 0, epoch: 9 }] });
  const committed = () => log.committed('counting', { topicId, partition: 0 });
  await time.pass(5_000);
  assert.deepEqual(await committed(), { offset: 1, generation: 1 });
  const first = commits;
  time.leap(hourMs);
  await time.pass(5_000);
  assert.equal(commits, first + 1, 'not each second anew');
  for (let day = 1; day <= 7; day++) {
    time.leap(dayMs);
    await time.pass(5_000);
    assert.equal(commits, first + 1 + day);
  }
  assert.deepEqual(await committed(), { offset: 1, generation: 1 });
  await log.append('in', 0, [{ key: null, value: Buffer.from('-') }]);
  proof.end();
  time.leap(dayMs);
  await time.pass(5_000);
  assert.equal(commits, first + 8, 'nor who was not heard of for so long that its session may be over');
  proof.extend(time.monotonicMs() + 60_000);
  await time.pass(5_000);
  assert.deepEqual(await committed(), { offset: 2, generation: 1 });
  const last = commits;
  proof.extend(Number.POSITIVE_INFINITY);
  shard.receive({ kind: 'partitions', partitions: [] });
  time.leap(dayMs);
  await time.pass(5_000);
  assert.equal(commits, last, 'nor who reads it no more');
  assert.deepEqual(
    said.filter(({ kind }) => kind === 'failed'),
    [],
  );
  const closing = shard.close();
  await time.pass(1_000);
  await closing;
});
