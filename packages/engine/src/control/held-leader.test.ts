import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '@holdfast/model';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

/** A write of Raft's of `node` begins that takes so long; those after it don't. */
async function holdDisk(cluster: VirtualCluster, nodes: readonly VirtualNode[], heldMs: number): Promise<void> {
  for (const { id } of nodes) cluster.storage(id).writeMs = heldMs;
  for (const [i, { shards }] of cluster.nodes.entries())
    shards[0]!.say({ kind: 'acquire', units: Uint32Array.of(i, i) });
  await cluster.time.run(300);
}

async function running(ids?: string[]): Promise<{ cluster: VirtualCluster; leader: VirtualNode; other: VirtualNode }> {
  const cluster = new VirtualCluster({}, ids);
  await cluster.startAll();
  await cluster.time.run(1_000);
  const leader = cluster.leader!;
  return { cluster, leader, other: cluster.nodes.find((node) => node !== leader)! };
}

test('a leader whose disk holds a write up for 11 s keeps its session: it asks the one that leads instead', async () => {
  const { cluster, leader } = await running();
  await holdDisk(cluster, [leader], 11_000);
  cluster.storage(leader.id).writeMs = 1;
  await cluster.time.run(25_000);
  assert.deepEqual(leader.lost, []);
  assert.equal(cluster.leader!.control.table.uncleanCount, 0);
});

test('who is held up itself, and knows a leader that is gone, asks others for the next', async () => {
  const { cluster, leader, other } = await running(['n1', 'n2', 'n3', 'n4', 'n5']);
  await holdDisk(cluster, [other], 10_000);
  await cluster.kill(leader);
  await cluster.time.run(700);
  cluster.storage(other.id).writeMs = 1;
  await cluster.time.run(25_000);
  assert.deepEqual(other.lost, []);
});

test('a leader whose disk is held up for good drains in time when it is stopped, and ends its session', async () => {
  const { cluster, leader, other } = await running();
  cluster.storage(leader.id).writeMs = 1e9;
  const session = leader.control.session! as SessionId;
  void leader.control.stop(20_000);
  await cluster.until('told to drain', () => leader.shards[0]!.last('stop') !== undefined, 8_000);
  await cluster.until('ended', () => other.control.table.session(session) === undefined, 8_000);
  assert.equal(other.control.table.uncleanCount, 0);
});
