import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldBack } from '../shard-messages.ts';
import { nobodyFailed } from './cluster-steps.test.ts';
import { VirtualCluster } from './virtual-cluster.test.ts';

test('the status has what a shard is held back by, and for how long, until the shard says that nothing is left', async () => {
  const cluster = new VirtualCluster({}, ['n1']);
  await cluster.startAll();
  const { control, shards } = cluster.leader!;
  const heldBack = () => control.status().shards.map((shard) => shard.heldBack);
  const none = shards.map(() => []);
  assert.deepEqual(heldBack(), none);
  const letters: HeldBack = {
    what: 'letters',
    topic: 'd',
    begunMs: cluster.time.monotonicMs(),
    tries: 3,
    error: 'why',
  };
  shards[0]!.say({ kind: 'heldBack', list: [letters] });
  await cluster.time.run(5_000);
  const { begunMs: _, ...told } = letters;
  assert.deepEqual(heldBack(), [[{ ...told, sinceMs: 5_000 }], ...none.slice(1)]);
  shards[0]!.say({ kind: 'heldBack', list: [] });
  assert.deepEqual(heldBack(), none);
  nobodyFailed(cluster);
});
