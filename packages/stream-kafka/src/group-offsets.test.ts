import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { GroupOffsets } from './group-offsets.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { Topics } from './topics.ts';

const id = Buffer.alloc(16, 5);
const commit = {
  partition: { topicId: topicId(id.toString('base64url')), partition: 0 },
  offset: 1,
  generationId: 'life',
  fence: 1,
};

test('a coordinator that comes back with another address is found there', async () => {
  const first = await StandInBroker.start(1, { topicId: id, partition: ledBy(1, 0) });
  const old = await StandInBroker.start(2, first.belief);
  const knowing = (coordinator: StandInBroker) => {
    const brokers = [first.address, coordinator.address];
    first.belief = { ...first.belief, brokers, coordinator: coordinator.address };
  };
  knowing(old);
  const { cluster, clock } = clusterOf([first.address], { backoffMsMin: 1, backoffMsMax: 1 });
  const topics = new Topics(cluster);
  const offsets = new GroupOffsets(cluster, topics);
  let moved: StandInBroker | null = null;
  try {
    await topics.look('topic');
    assert.deepEqual(await offsets.commit('group', [commit]), ['ok']);
    moved = await StandInBroker.start(2, first.belief);
    old.stop();
    knowing(moved);
    // Each search takes a second of the clock.
    first.onSearch = () => (clock.nowMs += 1_000);
    assert.deepEqual(await offsets.commit('group', [commit]), ['ok']);
    assert.deepEqual([old.commits, moved.commits], [1, 1]);
  } finally {
    cluster.close();
    for (const broker of [first, old, moved]) broker?.stop();
  }
});
