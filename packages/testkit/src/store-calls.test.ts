import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard, twoOfOneBucket } from './lone-shard.test.ts';
import type { TwinHooks } from './twin-hooks.ts';

const [sharing, sharingToo] = twoOfOneBucket();
const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g', sharing, sharingToo];

const begin = (storeHooks: TwinHooks, earlier: readonly string[] = []) =>
  beginLoneShard({ users, earlier, storeHooks });

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
  assert.deepEqual([isElsewhere, (await committed())?.offset], [true, 0]);
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
  await time.pass(60_000);
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

test('what is held is not written over a store of another history', async () => {
  const { time, feed, rowCount, newGeneration, end } = await begin({});
  await feed('a');
  await time.pass(5_000);
  assert.equal(rowCount(), 1);
  await feed('a');
  await time.pass(1_000);
  // Its session has ended with that entry, of which nobody has told it yet.
  newGeneration(false).tell();
  await time.pass(60_000);
  assert.equal(rowCount(), 0);
  await end();
});
