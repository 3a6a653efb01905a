import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeId, randomBelow, SeededRng } from '@holdfast/model';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

/** Two virtual minutes of kills, cuts, slow disks and stuck shards; then all heals and everything has to be well. */
async function runWithFaults(seed: number): Promise<string> {
  const rng = new SeededRng(seed);
  const cluster = new VirtualCluster({ compaction: { entriesMax: 50, trailingEntries: 10 } });
  cluster.topics.create('access-log', 5);
  await cluster.startAll();
  const cut = new Set<NodeId>();
  let nextUnit = 1;
  const epochs = new Map<number, number>();
  for (let step = 0; step < 120; step++) {
    for (const node of cluster.nodes) {
      if (node.lost.length > 0) reviveShards(cluster, node);
      const units = Uint32Array.of(nextUnit, nextUnit, nextUnit + 1, nextUnit + 1);
      nextUnit += 2;
      node.shards[0]!.say({ kind: 'acquire', units });
    }
    const node = cluster.nodes[randomBelow(rng, cluster.nodes.length)];
    const dice = randomBelow(rng, 12);
    if (dice === 0 && node !== undefined) await cluster.kill(node);
    if (dice === 1 && node !== undefined && cut.size === 0) {
      cluster.network.isolate(node.id);
      cut.add(node.id);
    }
    if (dice === 2) heal(cluster, cut);
    if (dice === 3 && node !== undefined) cluster.storage(node.id).writeMs = 300;
    if (dice === 4) for (const id of cluster.ids) cluster.storage(id).writeMs = 1;
    if (dice === 5 && node !== undefined) node.shards[0]!.isStuck = true;
    if (dice === 6) for (const id of cluster.ids) if (!cluster.up.has(id)) await cluster.start(id);
    if (dice === 7) cluster.time.stall(500);
    await cluster.time.run(1_000);
    noteEpochs(cluster, epochs);
  }
  heal(cluster, cut);
  for (const id of cluster.ids) cluster.storage(id).writeMs = 1;
  for (const id of cluster.ids) if (!cluster.up.has(id)) await cluster.start(id);
  for (let second = 0; second < 30; second++) {
    for (const node of cluster.nodes) {
      for (const shard of node.shards) shard.isStuck = false;
      if (node.lost.length > 0) reviveShards(cluster, node);
    }
    await cluster.time.run(1_000);
  }
  for (const { control, fatal } of cluster.nodes) {
    assert.deepEqual(fatal, []);
    assert.notEqual(control.session, null);
    assert.equal(control.liveSessions().length, 3);
    assert.ok(control.status().table.partitions.every(({ reader }) => reader !== null));
  }
  await cluster.time.run(200);
  const snapshots = cluster.nodes.map(({ control }) => Buffer.from(control.table.encodeSnapshot()).toString('base64'));
  assert.equal(new Set(snapshots).size, 1, 'the same entries gave every node the same table');
  return snapshots[0]!;
}

function reviveShards(cluster: VirtualCluster, node: VirtualNode): void {
  node.lost.length = 0;
  for (const shard of node.shards) shard.isEnded = true;
  const counter = cluster.nextCounter(node.id);
  node.shards = cluster.shards(node.id, counter);
  node.control.restartSession(counter, node.shards);
}

function heal(cluster: VirtualCluster, cut: Set<NodeId>): void {
  for (const id of cut) if (cluster.up.has(id)) cluster.network.heal(id);
  cut.clear();
}

/** Epochs of a unit never fall, in whatever table they are seen. */
function noteEpochs(cluster: VirtualCluster, epochs: Map<number, number>): void {
  const most = new Map<number, number>();
  for (const { control } of cluster.nodes) {
    control.table.visitUnits((hi, _lo, _session, _shard, grantIndex) => {
      const before = epochs.get(hi);
      assert.ok(before === undefined || grantIndex >= before || control.table.tableIndex < before);
      most.set(hi, Math.max(most.get(hi) ?? 0, grantIndex));
    });
  }
  for (const [unit, index] of most) epochs.set(unit, Math.max(index, epochs.get(unit) ?? 0));
}

for (const seed of [1, 2, 3]) {
  test(`faults for two virtual minutes, seed ${seed}`, async () => {
    await runWithFaults(seed);
  });
}

test('a seed gives the same history again', async () => {
  assert.equal(await runWithFaults(4), await runWithFaults(4));
});
