import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nobodyFailed } from './cluster-steps.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const names = (node: VirtualNode | undefined): string[] =>
  node!.control.liveSessions().map(({ nodeId }) => nodeId as string);

/** A cluster that runs, its leader and the two that follow it. */
async function running(ids?: string[]) {
  const cluster = new VirtualCluster({}, ids);
  await cluster.startAll();
  await cluster.time.run(1_000);
  const leader = cluster.leader!;
  const followers = cluster.nodes.filter((node) => node !== leader);
  return { cluster, leader, followers };
}

test('a process whose host refuses two nodes loses its session at once', async () => {
  const { cluster, leader, followers } = await running();
  const [victim] = followers;
  await cluster.kill(victim!);
  cluster.network.refusing.set(victim!.id, 'all');
  await cluster.until('its session ended', () => names(leader).length === 2, 600);
  assert.ok(!names(leader).includes(victim!.id));
  assert.equal(leader.control.table.uncleanCount, 1);
});

test('so does a leader whose process is gone, once there is another', async () => {
  const { cluster, leader } = await running();
  await cluster.kill(leader);
  cluster.network.refusing.set(leader.id, 'all');
  await cluster.until(
    'its session ended',
    () => cluster.leader !== undefined && names(cluster.leader).length === 2,
    4_000,
  );
});

test('silence waits for the time to live', async () => {
  const { cluster, leader, followers } = await running();
  await cluster.kill(followers[0]!);
  await cluster.time.run(9_000);
  assert.equal(names(leader).length, 3);
  await cluster.until('expired', () => names(leader).length === 2, 6_000);
});

test('a node that is heard loses nothing, whatever its host says to all', async () => {
  const { cluster, followers } = await running();
  cluster.network.refusing.set(followers[0]!.id, 'all');
  await cluster.time.run(20_000);
  nobodyFailed(cluster);
});

test('one node that is refused is not enough: its own firewall may be wrong', async () => {
  const { cluster, leader, followers } = await running();
  const [victim, other] = followers;
  await cluster.kill(victim!);
  for (const id of [leader.id, other!.id]) {
    cluster.network.refusing.set(victim!.id, [id]);
    await cluster.time.run(4_000);
    assert.equal(names(leader).length, 3);
  }
});

test('with two nodes there is no second one to ask', async () => {
  const { cluster, leader, followers } = await running(['n1', 'n2']);
  await cluster.kill(followers[0]!);
  cluster.network.refusing.set(followers[0]!.id, 'all');
  await cluster.time.run(5_000);
  assert.equal(names(leader).length, 2);
});

test('what is refused to a node that came back on its old port says nothing about its new session', async () => {
  const { cluster, leader, followers } = await running();
  const [victim] = followers;
  await cluster.kill(victim!);
  cluster.network.refusing.set(victim!.id, 'all');
  await cluster.time.run(300);
  const back = await cluster.start(victim!.id);
  cluster.network.refusing.delete(victim!.id);
  await cluster.until('a new session', () => back.control.session !== null, 5_000);
  const { session } = back.control;
  await cluster.time.run(20_000);
  assert.equal(back.control.session, session);
  assert.ok(names(leader).includes(victim!.id));
  nobodyFailed(cluster);
});
