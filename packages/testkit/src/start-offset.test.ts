import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { findStart, startBehindGap, type TopicPosition } from '@holdfast/engine';
import { bucketCount } from '@holdfast/model';
import { decodeRow } from '@holdfast/processor';
import { MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryLog, MemoryLogDisk } from './memory-log.ts';
import type { TwinHooks } from './twin-hooks.ts';

let storeDisk = new MemoryStoreDisk();
let logDisk = new MemoryLogDisk();
let log = new MemoryLog(logDisk, realTime());
let lease = { topic: 't', topicId: '' as never, partition: 0, epoch: 7, wasThere: true };
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
  logDisk = new MemoryLogDisk();
  log = new MemoryLog(logDisk, realTime());
  const { topicId } = await log.createTopic('t', 1);
  lease = { ...lease, topic: 't', topicId: topicId as never, wasThere: true };
  await append(3);
});

function append(count: number): Promise<number> {
  return log.append(
    't',
    0,
    Array.from({ length: count }, () => ({ key: null, value: new Uint8Array(1) })),
  );
}

interface Given {
  readonly number?: number;
  readonly epoch?: number;
  /** The process's own connections. */
  readonly logHooks?: TwinHooks;
  readonly storeHooks?: TwinHooks;
}

function start(startPosition: TopicPosition, { number = 1, epoch = 7, logHooks = {}, storeHooks = {} }: Given = {}) {
  const store = new MemoryBackupStore(storeDisk, storeHooks);
  const ownLog = new MemoryLog(logDisk, realTime(), logHooks);
  const options = { log: ownLog, store, job: { name: group }, settings: { startPosition } };
  return findStart(options, { ...lease, epoch }, { number, generationId: storeDisk.generationId });
}

/** Before the first call of the operation. */
function beforeFirst(operation: string, act: () => Promise<unknown>): TwinHooks {
  let isFirst = true;
  return {
    before: async (name) => {
      if (name !== operation || !isFirst) return;
      isFirst = false;
      await act();
    },
  };
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
  assert.equal(await log.committed(group, lease), null, 'nobody has read up to there');
});

test('a time says where to begin', async () => {
  assert.equal(await start({ timestampUnixMs: 0 }), 0);
});

test('a commit of the generation wins over markers, and these over the start position', async () => {
  await markAll(2);
  // As after a log forgot the offsets of a job that did not run for long.
  assert.equal(await start('latest'), 2);
  await log.commit(group, [{ partition: lease, offset: 1, generationId: storeDisk.generationId, fence: 7 }]);
  assert.equal(await start('latest'), 1);
});

test('after a loss of the store nothing is left out', async () => {
  await log.commit(group, [{ partition: lease, offset: 3, generationId: storeDisk.generationId, fence: 7 }]);
  storeDisk.lose();
  assert.equal(await start('latest', { number: 2 }), 0);
});

test('a partition that came later begins at its first record, one that had begun by then where it did', async () => {
  assert.equal(await start('latest'), 3);
  await append(4);
  logDisk.commits.clear();
  lease = { ...lease, wasThere: false };
  assert.equal(await start('latest', { epoch: 8 }), 3);
  for (const position of ['latest', { timestampUnixMs: 8e15 }] as const) {
    storeDisk.rows.clear();
    assert.equal(await start(position, { epoch: 8 }), 0);
    await append(1);
    lease = { ...lease, wasThere: true };
    assert.equal(await start(position, { epoch: 9 }), 0, 'where it began');
    lease = { ...lease, wasThere: false };
  }
});

test('a beginning that is still in the store outlasts its generation', async () => {
  assert.equal(await start('latest'), 3);
  await append(4);
  storeDisk.lose(storeDisk.image());
  assert.equal(await start('latest', { number: 2 }), 3);
  assert.equal(await start('earliest', { number: 2 }), 0, 'who asks for all gets all');
  logDisk.commits.clear();
  assert.equal(await start('latest', { number: 2, epoch: 8 }), 3);
  await markAll(5);
  assert.equal(await start('latest', { number: 2 }), 5, 'markers are further on');
});

test('a beginning that the log no longer has moves to the first record that is kept', async () => {
  assert.equal(await start('latest'), 3);
  await append(4);
  logDisk.commits.clear();
  logDisk.dropBefore('t', 0, 5);
  assert.equal(await start('latest', { epoch: 8 }), 5);
  assert.equal(await start('latest', { epoch: 8, number: 2 }), 5);
});

test('a beginning of which the store has lost the row is none', async () => {
  storeDisk.rows.clear();
  const storeHooks = beforeFirst('backup', () => Promise.reject(new Error('away')));
  await assert.rejects(start('latest', { storeHooks }), /away/);
  assert.equal(await start('latest', { number: 2, epoch: 8 }), 0, 'claimed, and never written');
});

for (const number of [1, 2]) {
  test(`what another cluster has committed, at whatever number, is not believed in generation ${number}`, async () => {
    await log.commit(group, [{ partition: lease, offset: 3, generationId: 'store-of-another-cluster', fence: 7 }]);
    // Not at the start position either: the job has been read before, and this store has nothing of it.
    assert.equal(await start('latest', { number }), 0);
    await markAll(2);
    assert.equal(await start('latest', { number }), 2);
  });
}

test('a beginning outlasts the commit of another cluster, and a change of the generation, as long as the store has it', async () => {
  assert.equal(await start('latest'), 3);
  await append(4);
  await log.commit(group, [{ partition: lease, offset: 7, generationId: 'store-of-another-cluster', fence: 7 }]);
  assert.equal(await start('latest', { epoch: 8 }), 3);
  const image = storeDisk.image();
  storeDisk.lose(image);
  assert.equal(await start('latest', { epoch: 8, number: 2 }), 3);
  assert.equal(await start('earliest', { epoch: 8, number: 2 }), 0);
  storeDisk.lose();
  assert.equal(await start('latest', { epoch: 8, number: 3 }), 0);
});

test('a beginning outlasts a log that forgets its commits, also where nothing was left out yet', async () => {
  assert.equal(await start('latest'), 3);
  await append(4);
  logDisk.commits.clear();
  assert.equal(await start('latest', { epoch: 8 }), 3);
  const { topicId } = await log.createTopic('empty', 1);
  lease = { ...lease, topic: 'empty', topicId: topicId as never };
  assert.equal(await start('latest'), 0);
  await log.append('empty', 0, [{ key: null, value: null }]);
  logDisk.commits.clear();
  assert.equal(await start('latest', { epoch: 8 }), 0);
});

for (const operation of ['claim', 'offsetsAt', 'backup', 'read']) {
  test(`who sleeps before its ${operation}, while another begins, sets no other beginning`, async () => {
    const hooks = beforeFirst(operation, async () => {
      assert.equal(await start('latest', { epoch: 8 }), 3);
      await append(4);
    });
    assert.equal(await start('latest', { epoch: 7, logHooks: hooks, storeHooks: hooks }), null);
    assert.equal(await start('latest', { epoch: 9 }), 3);
  });
}

test('who sleeps before its claim begins nowhere, also where another began at the first record', async () => {
  const storeHooks = beforeFirst('claim', async () => {
    await log.commit(group, [{ partition: lease, offset: 2, generationId: 'of another tool', fence: 1 }]);
    assert.equal(await start('latest', { epoch: 8 }), 0);
  });
  assert.equal(await start('latest', { epoch: 7, storeHooks }), null);
  logDisk.commits.clear();
  assert.equal(await start('latest', { epoch: 9 }), 0);
});

test('a try that failed after it was written is taken up by the next of the same lease', async () => {
  const failing = { before: (name: string) => assert.notEqual(name, 'read', 'the store is away') };
  await assert.rejects(start('latest', { storeHooks: failing }), /away/);
  await append(4);
  assert.equal(await start('latest'), 3);
});

test('a row of an earlier try that comes late, behind the claim of the next, is where both begin', async () => {
  const real = new MemoryBackupStore(storeDisk);
  let late = (): Promise<unknown> => Promise.resolve();
  let tries = 0;
  const store = {
    leastMarker: real.leastMarker.bind(real),
    claim: real.claim.bind(real),
    read: real.read.bind(real),
    backup: async (...call: Parameters<typeof real.backup>) => {
      await late();
      if (tries++ > 0) return real.backup(...call);
      late = () => real.backup(...call);
      throw new Error('no answer');
    },
  };
  const begin = () =>
    findStart({ log, store, job: { name: group }, settings: { startPosition: 'latest' } }, lease, {
      number: 1,
      generationId: storeDisk.generationId,
    });
  await assert.rejects(begin(), /no answer/);
  await append(4);
  assert.equal(await begin(), 3);
  assert.equal(await start('latest', { epoch: 8 }), 3);
});

for (const [what, part] of [
  ['read', 'row'],
  ['written', 'all'],
] as const) {
  test(`a beginning that can not be ${what} is an error: it is neither another one nor none`, async () => {
    assert.equal(await start('latest'), 3);
    await append(4);
    logDisk.commits.clear();
    for (const unit of storeDisk.rows.keys()) storeDisk.bent.set(unit, part);
    await assert.rejects(start('latest', { epoch: 8 }), /can't be read/);
    assert.equal(await log.committed(group, lease), null);
  });
}

test('the row of a beginning has no users', async () => {
  await start('latest');
  const rows = [];
  for await (const { row } of new MemoryBackupStore(storeDisk).scan()) rows.push(decodeRow(row!));
  assert.deepEqual(rows, [{ users: [], vector: [{ partition: { topicId: lease.topicId, partition: 0 }, offset: 2 }] }]);
});

test('a store that lives another life meanwhile is told, and nothing is committed', async () => {
  const logHooks = beforeFirst('offsetsAt', async () => storeDisk.lose());
  const before = storeDisk.generationId;
  assert.notEqual(await start('latest', { logHooks }), before);
  assert.equal(await log.committed(group, lease), null);
});

test('another generation is told, not used', async () => {
  const store = new MemoryBackupStore(storeDisk);
  const generation = { number: 1, generationId: 'of yesterday' };
  const options = { log, store, job: { name: group }, settings: { startPosition: 'earliest' as const } };
  assert.equal(await findStart(options, lease, generation), storeDisk.generationId);
});

test('behind a gap it begins at the markers, if these leave nothing out and are of this generation', async () => {
  const store = new MemoryBackupStore(storeDisk);
  const generation = { number: 1, generationId: storeDisk.generationId };
  const behind = (position: number) => startBehindGap({ log, store }, lease, generation, position);
  await append(4);
  await markAll(5);
  assert.equal(await behind(1), null, 'the log has it');
  assert.equal(await behind(8), null, 'an offset past the end is no gap');
  logDisk.dropBefore('t', 0, 4);
  assert.equal(await behind(1), 5);
  logDisk.dropBefore('t', 0, 5);
  assert.equal(await behind(1), 5);
  logDisk.dropBefore('t', 0, 6);
  assert.equal(await behind(1), null, 'nobody vouches for record 5');
  logDisk.dropBefore('t', 0, 7);
  storeDisk.lose(storeDisk.image());
  assert.equal(await behind(1), storeDisk.generationId);
});
