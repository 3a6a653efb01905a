import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { beginLoneShard } from './lone-shard.test.ts';

test('a partition of which nothing can be read for 15 s is told of, with how long its records wait, until it is read', async () => {
  let isGone = true;
  const scene = await beginLoneShard({
    users: ['u'],
    logHooks: {
      before: (operation) => {
        if (isGone && operation === 'next') throw new LogError('OFFSET_OUT_OF_RANGE', 'retention took it');
      },
    },
  });
  const { time, stats, feed, end } = scene;
  await feed('u');
  await time.pass(14_000);
  assert.equal(stats.get('partitionsStopped'), 0, 'a leader of the log may be moving');
  await time.pass(3_000);
  assert.equal(stats.get('partitionsStopped'), 1);
  assert.ok(stats.get('lagMs') >= 14_000, `${stats.get('lagMs')}`);
  isGone = false;
  await time.pass(5_000);
  assert.deepEqual([stats.get('partitionsStopped'), stats.get('lagMs'), stats.get('recordsApplied')], [0, 0, 1]);
  await end();
});

test('a table that shows an end and not its index, for however long, leaves the shard free to hear of more', async () => {
  const { time, stats, feed, loseOtherHalfway, end } = await beginLoneShard({ users: ['u'] });
  const goOn = loseOtherHalfway();
  await feed('u');
  const heartbeats = stats.get('heartbeat');
  await time.pass(5_000);
  assert.ok(stats.get('heartbeat') > heartbeats + 4);
  goOn();
  await time.pass(1_000);
  assert.equal(stats.get('recordsApplied'), 1);
  await end();
});

test('a partition of a topic that the job does not read stands, and is told of', async () => {
  const scene = await beginLoneShard({ users: ['u'] });
  const { time, stats, feed, lease, end } = scene;
  await lease('of-another-version');
  await feed('u');
  await time.pass(17_000);
  assert.deepEqual([stats.get('partitionsStopped'), stats.get('recordsApplied')], [1, 1]);
  await end();
});

test('calls of the store that fail are told of until they work', async () => {
  let isAway = true;
  const scene = await beginLoneShard({
    users: ['u'],
    storeHooks: {
      before: (operation) => {
        if (isAway && operation === 'claim') throw new Error('away');
      },
    },
  });
  const { time, stats, feed, end } = scene;
  await feed('u');
  await time.pass(10_000);
  assert.equal(stats.get('storeCallsFailing'), 1);
  assert.ok(stats.get('backupFailures') > 1);
  isAway = false;
  await time.pass(5_000);
  assert.deepEqual([stats.get('storeCallsFailing'), stats.get('recordsApplied')], [0, 1]);
  await end();
});
