import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultShardSettings } from '@holdfast/engine';
import { beginLoneShard } from './lone-shard.test.ts';

const begin = () => beginLoneShard({ users: ['a', 'b', 'c'] });
type Scene = Awaited<ReturnType<typeof begin>>;

/** Key and offset of each dead letter; all for the same reason. */
function letters({ logDisk }: Scene): string[] {
  const records = (logDisk.topics.get(defaultShardSettings.deadLetterTopic)?.partitions ?? []).flat();
  return records.map(({ key, headers = {} }) => {
    assert.equal(headers.reason, 'quarantined');
    return `${Buffer.from(key!)}@${headers.offset}`;
  });
}

async function feed(scene: Scene, ...users: string[]): Promise<void> {
  for (const user of users) await scene.feed(user);
  await scene.time.pass(5_000);
}

/** Two rounds and more. */
const backedUp = (scene: Scene) => scene.time.pass(80_000);
const offset = async (scene: Scene) => (await scene.committed())?.offset;

test('a row that can not be read: users of the same call go on, and its own is set aside for good', async () => {
  const scene = await begin();
  scene.bend('a', 'all');
  await feed(scene, 'b', 'a', 'c', 'b');
  await backedUp(scene);
  assert.deepEqual([scene.rowCount(), await offset(scene)], [2, 1], 'they are applied and written; a waits');
  scene.obey();
  await backedUp(scene);
  assert.deepEqual([letters(scene), await offset(scene)], [['a@1'], 4]);
  await feed(scene, 'a', 'b');
  await backedUp(scene);
  assert.deepEqual([letters(scene), await offset(scene)], [['a@1', 'a@4'], 6]);
  assert.equal(scene.rowCount(), 2, 'nothing is written for it');
  assert.equal(scene.stats.get('unitsFaulty'), 1);
  await scene.end();
});

test('a row that is bent under its holder: others are written, what it lacks is read again and buried', async () => {
  const scene = await begin();
  await feed(scene, 'a', 'b');
  await backedUp(scene);
  assert.deepEqual([scene.rowCount(), await offset(scene)], [2, 2]);
  scene.bend('a', 'all');
  await feed(scene, 'a', 'b');
  await backedUp(scene);
  assert.deepEqual([scene.stats.get('unitsFaulty'), await offset(scene)], [1, 2]);
  scene.obey();
  await backedUp(scene);
  assert.deepEqual([letters(scene), await offset(scene)], [['a@2'], 4]);
  await scene.end();
});

test('a row under an epoch that can be read is written anew by its holder', async () => {
  const scene = await begin();
  await feed(scene, 'a');
  await backedUp(scene);
  scene.bend('a', 'row');
  await feed(scene, 'a');
  await backedUp(scene);
  assert.deepEqual([scene.disk.bent.size, scene.stats.get('unitsFaulty'), await offset(scene)], [0, 0, 2]);
  await scene.end();
});

test('a released user goes on from the row that was mended', async () => {
  const scene = await begin();
  scene.bend('a', 'row');
  await feed(scene, 'a');
  scene.obey();
  await backedUp(scene);
  scene.bend('a', null);
  scene.release('a');
  await feed(scene, 'a');
  scene.obey();
  await backedUp(scene);
  assert.deepEqual([letters(scene), await offset(scene), scene.rowCount()], [['a@0'], 2, 1]);
  await scene.end();
});

test('a released user whose row is as it was is set aside again', async () => {
  const scene = await begin();
  scene.bend('a', 'all');
  await feed(scene, 'a');
  scene.obey();
  await backedUp(scene);
  scene.release('a');
  await feed(scene, 'a');
  scene.obey();
  await feed(scene, 'a');
  assert.equal(scene.stats.get('unitsFaulty'), 2);
  scene.obey();
  await backedUp(scene);
  assert.deepEqual([letters(scene), await offset(scene)], [['a@0', 'a@1', 'a@2'], 3]);
  await scene.end();
});
