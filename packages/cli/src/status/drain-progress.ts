import type { StatusDocument } from '@holdfast/node';

/** How far a drain is. */
export interface DrainState {
  readonly leases: number;
  readonly partitions: number;
}

/** What a node still has, by a status; null: nobody knows (the node isn't there, or doesn't answer). */
export function drainState(status: StatusDocument, nodeId: string): DrainState | null {
  const node = status.nodes.find(({ id }) => id === nodeId);
  if (node === undefined) return null;
  // A node without a session holds nothing, whether it answers or not.
  if (node.session.id === null) return { leases: 0, partitions: 0 };
  // Of one that doesn't answer the table tells the leases, and nobody what it reads.
  if (!node.reachable || node.leases.count === null) return null;
  const partitions = node.shards.reduce((sum, shard) => sum + shard.partitions.length, 0);
  return { leases: node.leases.count, partitions };
}

export function isDrained(state: DrainState): boolean {
  return state.leases === 0 && state.partitions === 0;
}
