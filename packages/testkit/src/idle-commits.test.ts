import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard } from './lone-shard.test.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const hourMs = 60 * 60 * 1_000;
/** The job passes over it: it is durable at once. */
const passedOver = '-';

test('an offset that does not change is committed again as long as its partition is read here under a live session', async () => {
  let commits = 0;
  const logHooks = { before: (operation: string) => void (operation === 'commit' && commits++) };
  const { time, proof, feed, committed, losePartition, end } = await beginLoneShard({ logHooks });
  await feed(passedOver);
  await time.pass(5_000);
  assert.deepEqual(await committed(), { offset: 1, generationId: 'memory-store-1' });
  const first = commits;
  time.leap(hourMs);
  await time.pass(5_000);
  assert.equal(commits, first + 1, 'not each second anew');
  for (let day = 1; day <= 7; day++) {
    time.leap(dayMs);
    await time.pass(5_000);
    assert.equal(commits, first + 1 + day);
  }
  assert.deepEqual(await committed(), { offset: 1, generationId: 'memory-store-1' });
  await feed(passedOver);
  proof.end();
  time.leap(dayMs);
  await time.pass(5_000);
  assert.equal(commits, first + 8, 'nor who was not heard of for so long that its session may be over');
  proof.extend(time.monotonicMs() + 60_000);
  await time.pass(5_000);
  assert.deepEqual(await committed(), { offset: 2, generationId: 'memory-store-1' });
  const last = commits;
  proof.extend(Number.POSITIVE_INFINITY);
  losePartition();
  time.leap(dayMs);
  await time.pass(5_000);
  assert.equal(commits, last, 'nor who reads it no more');
  await end();
});

test('an offset of a topic that is gone is tried again ever more rarely, and holds up nothing', async () => {
  let commits = 0;
  const logHooks = { before: (operation: string) => void (operation === 'commit' && commits++) };
  const { time, logDisk, feed, committed, end } = await beginLoneShard({ logHooks });
  await feed(passedOver);
  await time.pass(900);
  logDisk.deleteTopic('in');
  await time.pass(5_000);
  assert.deepEqual([commits, await committed()], [1, null]);
  await time.pass(5 * 60_000);
  assert.ok(commits >= 4 && commits <= 6, `${commits} commits`);
  await end();
});
