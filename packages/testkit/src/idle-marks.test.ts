import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketCount } from '@holdfast/model';
import { beginLoneShard } from './lone-shard.test.ts';

/** The job passes over it: no holder sees it, and no round has anything to write. */
const passedOver = '-';
const intervalMs = 30_000;
/** Each bucket is marked, if it is to be, within four intervals and the time over which markers are spread. */
const longMs = 5 * intervalMs;

test('a shard that only reads marks every bucket too, but only when a watermark has moved', async () => {
  let marks = 0;
  const storeHooks = { before: (operation: string) => void (operation === 'mark' && marks++) };
  const { time, disk, feed, newGeneration, end } = await beginLoneShard({ storeHooks });
  const marked = () => [...disk.markers.values()].map((markers) => [...markers.values()].map(({ offset }) => offset));
  await time.pass(longMs);
  assert.equal(marks, 0, 'nothing is durable yet');
  await feed(passedOver);
  await time.pass(longMs);
  assert.deepEqual(marked(), new Array(bucketCount).fill([1]));
  const once = marks;
  assert.ok(once > 1, 'spread');
  await time.pass(longMs);
  assert.equal(marks, once, 'nothing has moved');
  await feed(passedOver);
  await time.pass(longMs);
  assert.deepEqual([marked(), marks], [new Array(bucketCount).fill([2]), 2 * once]);
  newGeneration().tell();
  await time.pass(longMs);
  assert.deepEqual([marked(), marks], [new Array(bucketCount).fill([2]), 3 * once], 'another store has no markers yet');
  await end();
});
