import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holds, nobodyFailed, unitsOf } from './cluster-steps.test.ts';
import { VirtualCluster } from './virtual-cluster.test.ts';

/** Shards ask again after 500 ms: none does here. */
test('what is asked for while leadership moves is granted by the next leader, without being asked for again', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const leader = cluster.leader!;
  const [next, asker] = cluster.nodes.filter((node) => node !== leader);
  assert.ok(next && asker);
  const before = leader.control.leadership.term;
  for (let i = 0; i < 100; i++) {
    if (i === 20) void leader.control.admin({ kind: 'transferLeader', to: next.id }, 2_000);
    for (const [at, node] of [leader, asker].entries()) {
      node.shards[0]!.say({ kind: 'acquire', units: unitsOf(1, 1 + 2 * i + at) });
    }
    await cluster.time.run(2);
  }
  await cluster.time.run(450);
  assert.equal(cluster.leader, next);
  assert.equal(next.control.leadership.term, before + 1);
  assert.ok(holds(asker, unitsOf(200)));
  nobodyFailed(cluster);
});
