import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { findStart, type TopicPosition } from '@holdfast/engine';
import { bucketCount } from '@holdfast/model';
import { MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryLog, MemoryLogDisk } from './memory-log.ts';

let storeDisk = new MemoryStoreDisk();
let log = new MemoryLog(new MemoryLogDisk(), realTime());
let lease = { topic: 't', topicId: '' as never, partition: 0, epoch: 7 };
const group = 'job';

function realTime() {
  return {
    monotonicMs: () => performance.now(),
    wallUnixMs: () => Date.now(),
    setTimer: () => () => undefined,
  };
}

beforeEach(async () => {
  storeDisk = new MemoryStoreDisk();
  log = new MemoryLog(new MemoryLogDisk(), realTime());
  const { topicId } = await log.createTopic('t', 1);
  lease = { ...lease, topicId: topicId as never };
  await append(3);
});

function append(count: number): Promise<number> {
  return log.append(
    't',
    0,
    Array.from({ length: count }, () => ({ key: null, value: new Uint8Array(1) })),
  );
}

function start(startPosition: TopicPosition, number = 1, isOver = () => false) {
  const store = new MemoryBackupStore(storeDisk);
  const generation = { number, generationId: storeDisk.generationId };
  return findStart({ log, store, job: { name: group }, settings: { startPosition } }, lease, generation, isOver);
}

async function markAll(offset: number): Promise<void> {
  const store = new MemoryBackupStore(storeDisk);
  const marks = Array.from({ length: bucketCount }, (_, bucket) => ({ bucket, partition: lease, offset }));
  await store.mark(storeDisk.generationId, marks);
}

test('a job that never committed begins where it is told', async () => {
  assert.equal(await start('earliest'), 0);
  assert.equal(await start('latest'), 3);
});

test('an end that was begun at stays the beginning, however often reading starts anew', async () => {
  assert.equal(await start('latest'), 3);
  await append(4);
  assert.equal(await start('latest'), 3, 'records that came since are not left out');
  assert.deepEqual(await log.committed(group, lease), { offset: 3, generation: 1 });
});

test('a time says where to begin', async () => {
  assert.equal(await start({ timestampUnixMs: 0 }), 0);
  assert.deepEqual(await log.committed(group, lease), { offset: 0, generation: 1 });
});

test('a commit of the generation wins over markers, and these over the start position', async () => {
  await markAll(2);
  // As after a log forgot the offsets of a job that did not run for long.
  assert.equal(await start('latest'), 2);
  await log.commit(group, [{ partition: lease, offset: 1, generation: 1, fence: 7 }]);
  assert.equal(await start('latest'), 1);
});

test('after a loss of the store nothing is left out', async () => {
  await log.commit(group, [{ partition: lease, offset: 3, generation: 1, fence: 7 }]);
  storeDisk.lose();
  assert.equal(await start('latest', 2), 0);
});

test('a lease that ended meanwhile commits nothing', async () => {
  assert.equal(await start('latest', 1, () => true), null);
  assert.equal(await log.committed(group, lease), null);
});

test('another generation is told, not used', async () => {
  const store = new MemoryBackupStore(storeDisk);
  const generation = { number: 1, generationId: 'of yesterday' };
  const options = { log, store, job: { name: group }, settings: { startPosition: 'earliest' as const } };
  assert.equal(await findStart(options, lease, generation, () => false), storeDisk.generationId);
});
