import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseTableReader } from '@holdfast/lease';
import { acquire, holds, nobodyFailed, unitsOf } from './cluster-steps.test.ts';
import { roomHighRatio } from './table-room.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

/** Does what a shard does when it is told to make room: proposes the end of the units that it has held longest. */
function releaseWhenTold(node: VirtualNode, isHot: (hi: number) => boolean): { released: number } {
  const told = { released: 0 };
  for (const [index, shard] of node.shards.entries()) {
    const { post } = shard;
    shard.post = (message) => {
      post.call(shard, message);
      if (message.kind !== 'makeRoom') return;
      const reader = new LeaseTableReader(node.control.table.buffer);
      const held: { hi: number; lo: number; epoch: number }[] = [];
      node.control.table.visitUnits((hi, lo) => {
        if (!reader.lookup(hi, lo) || reader.session !== node.control.session || reader.shard !== index) return;
        if (!isHot(hi)) held.push({ hi, lo, epoch: reader.epoch });
      });
      const oldest = held.sort((a, b) => a.epoch - b.epoch).slice(0, message.units);
      told.released += oldest.length;
      const units = oldest.flatMap(({ hi, lo, epoch }) => [hi, lo, Math.floor(epoch / 2 ** 32), epoch >>> 0]);
      shard.say({ kind: 'release', units: Uint32Array.from(units) });
    };
  }
  return told;
}

test('a full table: grants are refused, holders release what they held longest, and everybody is served in the end', async () => {
  const unitsMax = 400;
  const cluster = new VirtualCluster({ lease: { unitsMax } });
  await cluster.startAll();
  const hot = unitsOf(20);
  const isHot = new Set(hot.filter((_, i) => i % 2 === 0));
  const told = cluster.nodes.map((node) => releaseWhenTold(node, (hi) => isHot.has(hi)));
  await acquire(cluster, cluster.node('n1'), hot);
  const hotEpochs = () =>
    [...isHot.keys()].map((hi, i) => cluster.leader!.control.unitInfo(hi, hot[2 * i + 1]!)?.epoch);
  const epochsBefore = hotEpochs();
  let most = 0;
  cluster.node('n2').control.onUpdate(() => {
    most = Math.max(most, cluster.node('n2').control.table.unitCount);
  });
  // Five times the capacity, in requests of nearly half of it.
  for (let round = 0; round < 12; round++) {
    const asker = cluster.nodes[round % 3]!;
    const units = unitsOf(180, 1_000 + round * 180);
    const served = new Set<number>();
    for (let tries = 0; tries < 40 && served.size < 180; tries++) {
      const left: number[] = [];
      for (let i = 0; i < units.length; i += 2) {
        if (asker.control.unitInfo(units[i]!, units[i + 1]!) !== null) served.add(i);
        if (!served.has(i)) left.push(units[i]!, units[i + 1]!);
      }
      if (left.length > 0) asker.shards[0]!.say({ kind: 'acquire', units: Uint32Array.from(left) });
      await cluster.time.run(250);
    }
    assert.equal(served.size, 180, `round ${round}: ${served.size} of 180 units had a holder`);
  }
  assert.ok(most <= unitsMax, `${most} units of at most ${unitsMax}`);
  assert.ok(most > unitsMax * roomHighRatio, `${most} units: the table was never full`);
  assert.ok(
    told.every(({ released }) => released > 0),
    'every node released',
  );
  assert.ok(cluster.nodes.every((node) => holds(node, hot)));
  assert.deepEqual(hotEpochs(), epochsBefore, 'those in use stayed where they were');
  nobodyFailed(cluster);
});
