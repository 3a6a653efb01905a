import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard } from './lone-shard.test.ts';

const backupMs = 30_000;

test('what a cluster whose store is gone has committed, under the same number, is read again', async () => {
  const left = ['a', 'b', 'c'];
  const { time, feed, rowCount, committed, end } = await beginLoneShard({ users: [...left, 'd'], left });
  await feed('d');
  await time.pass(backupMs + 5_000);
  assert.equal(rowCount(), 4);
  assert.deepEqual(await committed(), { offset: 4, generationId: 'memory-store-1' });
  await end();
});
