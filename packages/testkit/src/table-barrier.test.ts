import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard } from './lone-shard.test.ts';

test('nothing is read before the table shows all that was committed when the start was learned', async () => {
  let index: number | null = null;
  const given = { users: ['ann'], earlier: ['ann', 'ann'], committed: 2, barrierIndex: () => index };
  const { time, stats, feed, saidOf, advanceTo, tableIndex, end } = await beginLoneShard(given);
  await feed('ann');
  await time.pass(10_000);
  const asked = saidOf('barrier');
  assert.ok(asked > 1 && asked < 250, `${asked} questions that nobody could answer`);
  index = tableIndex() + 3;
  await time.pass(10_000);
  assert.deepEqual([stats.get('recordsRead'), saidOf('barrier')], [0, asked + 1]);
  advanceTo(index - 1);
  await time.pass(1_000);
  assert.equal(stats.get('recordsRead'), 0);
  advanceTo(index);
  await time.pass(1_000);
  assert.deepEqual([stats.get('recordsRead'), stats.get('recordsApplied')], [1, 1]);
  await end();
});

test('a lease that ends while nobody says how far the table has to be is over at once', async () => {
  const { time, losePartition, saidOf, end } = await beginLoneShard({ barrierIndex: () => null });
  await time.pass(1_000);
  losePartition();
  await time.pass(100);
  const asked = saidOf('barrier');
  await time.pass(10_000);
  assert.equal(saidOf('barrier'), asked);
  await end();
});
