import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { beginLoneShard } from './lone-shard.test.ts';

/** One record of each user, from which the job makes an output. */
async function begin(users: number, partitions: number) {
  const names = Array.from({ length: users }, (_, n) => `user-${n}`);
  const scene = await beginLoneShard({ users: names });
  scene.logDisk.createTopic('out', partitions);
  const feedAll = async () => {
    for (const name of names) await scene.feed(`${name}!`);
    await scene.time.pass(60_000);
  };
  const published = () => scene.logDisk.topics.get('out')!.partitions.map((records) => records.length);
  await feedAll();
  return { ...scene, feedAll, published };
}

test('outputs go to the partitions that their topic has now, where it is made anew with fewer', async () => {
  const { feedAll, published, logDisk, committed, heldBack, end } = await begin(12, 4);
  assert.ok(
    published().every((count) => count > 0),
    `${published()}`,
  );
  logDisk.topics.delete('out');
  logDisk.createTopic('out', 1);
  await feedAll();
  assert.deepEqual(published(), [12]);
  assert.equal((await committed())!.offset, 24);
  assert.deepEqual(heldBack(), []);
  await end();
});

test('a topic of outputs that is gone is made again', async () => {
  const { feedAll, published, logDisk, committed, end } = await begin(4, 2);
  logDisk.topics.delete('out');
  await feedAll();
  assert.equal(
    published().reduce((sum, count) => sum + count, 0),
    4,
  );
  assert.equal((await committed())!.offset, 8);
  await end();
});

test('a topic that is there, and takes nothing as if it were not, is asked ever less often, and told of', async () => {
  let isRefused = false;
  let tries = 0;
  const before = (operation: string) => {
    if (!isRefused || operation !== 'append') return;
    tries++;
    throw new LogError('UNKNOWN_TOPIC', 'a broker has not heard of it');
  };
  const { feed, time, logDisk, heldBack, committed, end } = await beginLoneShard({
    users: ['u'],
    logHooks: { before },
  });
  logDisk.createTopic('out', 2);
  await feed('u!');
  isRefused = true;
  await time.pass(60_000);
  assert.deepEqual(
    heldBack().map(({ what, topic }) => ({ what, topic })),
    [{ what: 'outputs', topic: 'out' }],
  );
  assert.ok(tries < 60, `${tries} tries`);
  isRefused = false;
  await time.pass(60_000);
  assert.deepEqual(heldBack(), []);
  assert.equal((await committed())!.offset, 1);
  await end();
});
