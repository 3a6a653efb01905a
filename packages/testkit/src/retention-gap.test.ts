import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard } from './lone-shard.test.ts';

const earlier = ['a', 'b', 'c', 'd', 'e'];
const users = [...earlier, 'f'];

test('a commit behind what retention took: reading begins at the markers that vouch for all of it', async () => {
  const { time, stats, feed, committed, end } = await beginLoneShard({ users, earlier, committed: 1, firstKept: 3 });
  await feed('f');
  await time.pass(20_000);
  assert.deepEqual([stats.get('partitionsStopped'), stats.get('recordsApplied')], [0, 1]);
  assert.deepEqual(await committed(), { offset: 6, generationId: 'memory-store-1' });
  await end();
});

test('markers that end at the first record that is kept are enough, those before it are not', async () => {
  for (const [firstKept, found] of [
    [5, [0, 2]],
    [6, [1, 0]],
  ] as const) {
    const { time, stats, feed, logDisk, committed, end } = await beginLoneShard({ users, earlier, committed: 1 });
    logDisk.dropBefore('in', 0, firstKept);
    await feed('f');
    await feed('f');
    await time.pass(20_000);
    assert.deepEqual([stats.get('partitionsStopped'), stats.get('recordsApplied')], found);
    if (firstKept === 6) assert.equal((await committed())?.offset, 1, 'what was never read is not committed');
    await end();
  }
});

test('a partition that stands before a gap goes on once markers are past it, and is told of until then', async () => {
  const given = { users, earlier, committed: 1, firstKept: 7 };
  const { time, stats, feed, markAll, end } = await beginLoneShard(given);
  for (const user of ['f', 'f', 'f', 'f']) await feed(user);
  for (let passed = 0; passed < 80_000; passed += 20_000) {
    await time.pass(20_000);
    assert.equal(stats.get('partitionsStopped'), 1);
  }
  await markAll(8);
  await time.pass(35_000);
  assert.deepEqual([stats.get('partitionsStopped'), stats.get('recordsApplied')], [0, 1]);
  await end();
});

test('while the store does not say, a partition stands before a gap, and asks again', async () => {
  let isAway = true;
  const before = (operation: string): void => {
    if (isAway && operation === 'leastMarker') throw new Error('away');
  };
  const given = { users, earlier, committed: 1, firstKept: 3, storeHooks: { before } };
  const { time, stats, feed, end } = await beginLoneShard(given);
  await feed('f');
  await time.pass(20_000);
  assert.deepEqual([stats.get('partitionsStopped'), stats.get('recordsApplied')], [1, 0]);
  isAway = false;
  await time.pass(8_000);
  assert.deepEqual([stats.get('partitionsStopped'), stats.get('recordsApplied')], [0, 1]);
  await end();
});

test('without a gap the store is not asked, and before one not at each try', async () => {
  for (const [firstKept, asked] of [
    [1, 0],
    [6, 2],
  ] as const) {
    let count = 0;
    const before = (operation: string): void => void (operation === 'leastMarker' && count++);
    const given = { users, earlier, committed: 1, firstKept, storeHooks: { before } };
    const { time, feed, end } = await beginLoneShard(given);
    for (const user of ['f', 'f']) await feed(user);
    await time.pass(40_000);
    assert.equal(count, asked);
    await end();
  }
});

test('a new generation while the store is asked: its markers decide, not those of the one before', async () => {
  let onAsked: (() => void) | null = null;
  const after = (operation: string): void => {
    if (operation !== 'leastMarker' || onAsked === null) return;
    onAsked();
    onAsked = null;
  };
  const scene = await beginLoneShard({ users, earlier, committed: 1, firstKept: 3, storeHooks: { after } });
  const { time, stats, feed, committed, newGeneration, end } = scene;
  onAsked = () => newGeneration().tell();
  await feed('f');
  await time.pass(20_000);
  // The store is empty now, and has no word of where the job began: all that is kept is read.
  assert.deepEqual([onAsked, stats.get('recordsApplied')], [null, 3]);
  assert.notEqual((await committed())?.generationId, 'memory-store-1');
  await end();
});
