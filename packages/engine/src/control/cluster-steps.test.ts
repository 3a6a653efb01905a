import assert from 'node:assert/strict';
import type { VirtualCluster, VirtualNode } from './virtual-cluster.test.ts';

/** Units 1..count as pairs. */
export const unitsOf = (count: number, from = 1): Uint32Array =>
  Uint32Array.from({ length: count * 2 }, (_, i) =>
    i % 2 === 0 ? Math.imul(from + i / 2, 0x9e3779b1) >>> 0 : from + (i - 1) / 2,
  );

export const holds = (node: VirtualNode, units: Uint32Array): boolean => {
  for (let i = 0; i < units.length; i += 2) if (node.control.unitInfo(units[i]!, units[i + 1]!) === null) return false;
  return true;
};

/** Asks again until granted, as a shard does. */
export async function acquire(cluster: VirtualCluster, node: VirtualNode, units: Uint32Array): Promise<void> {
  for (let tries = 0; tries < 20 && !holds(node, units); tries++) {
    node.shards[0]!.say({ kind: 'acquire', units });
    await cluster.time.run(500);
  }
  assert.ok(holds(node, units), `${node.id} sees no holder of its units`);
}

export const nobodyFailed = (cluster: VirtualCluster): void => {
  for (const { id, lost, fatal } of cluster.nodes) assert.deepEqual({ id, lost, fatal }, { id, lost: [], fatal: [] });
};
