import type { NodeId, PartitionId, SessionId, ShardIndex } from '@holdfast/model';

/** A shard that may read partitions; `count` is how many it has, those in flight included. */
export interface ReaderShard {
  readonly session: SessionId;
  readonly shard: ShardIndex;
  readonly nodeId: NodeId;
  /** its session gave a partition up lately: the last choice */
  readonly backingOff: boolean;
  count: number;
}

/** A partition with a reader, free to be moved. */
export interface HeldPartition extends PartitionId {
  readonly session: SessionId;
  readonly shard: ShardIndex;
}

export interface PartitionMove {
  readonly partition: HeldPartition;
  readonly to: ReaderShard;
}

/** Partitions per shard of each node: nodes with more shards may read more. */
function nodeLoads(shards: readonly ReaderShard[]): Map<NodeId, { count: number; shards: number }> {
  const loads = new Map<NodeId, { count: number; shards: number }>();
  for (const { nodeId, count } of shards) {
    const load = loads.get(nodeId) ?? { count: 0, shards: 0 };
    loads.set(nodeId, { count: load.count + count, shards: load.shards + 1 });
  }
  return loads;
}

/** The shard to give a partition to: least partitions, then the node with least, then the first. Needs one shard at least. */
export function leastReader(shards: readonly ReaderShard[]): ReaderShard {
  const loads = nodeLoads(shards);
  const ratio = (shard: ReaderShard) => loads.get(shard.nodeId)!.count / loads.get(shard.nodeId)!.shards;
  return shards.reduce((best, shard) => {
    if (shard.backingOff !== best.backingOff) return best.backingOff ? shard : best;
    return (shard.count - best.count || ratio(shard) - ratio(best)) < 0 ? shard : best;
  });
}

/**
 * One move that makes the spread smaller, or null when none does. Every move lowers the sum of squared counts per
 * shard, or keeps it and lowers that per node: so moves come to an end, and never go back and forth.
 * @param held partitions of `shards` only
 */
export function balancingMove(held: readonly HeldPartition[], shards: readonly ReaderShard[]): PartitionMove | null {
  if (shards.length < 2) return null;
  const loads = nodeLoads(shards);
  const ratio = (shard: ReaderShard) => loads.get(shard.nodeId)!.count / loads.get(shard.nodeId)!.shards;
  const movable = new Map(held.map((partition) => [`${partition.session}/${partition.shard}`, partition]));
  const from = shards
    .filter((shard) => movable.has(`${shard.session}/${shard.shard}`))
    .reduce<ReaderShard | null>(
      (most, shard) => (most === null || (shard.count - most.count || ratio(shard) - ratio(most)) > 0 ? shard : most),
      null,
    );
  const ready = shards.filter((shard) => !shard.backingOff);
  if (from === null || ready.length === 0) return null;
  const to = leastReader(ready);
  if (!lowersSpread(from, to, loads)) return null;
  return { partition: movable.get(`${from.session}/${from.shard}`)!, to };
}

function lowersSpread(
  from: ReaderShard,
  to: ReaderShard,
  loads: ReadonlyMap<NodeId, { readonly count: number; readonly shards: number }>,
): boolean {
  if (from.count - to.count >= 2) return true;
  if (from.count - to.count < 1 || from.nodeId === to.nodeId) return false;
  const a = loads.get(from.nodeId)!;
  const b = loads.get(to.nodeId)!;
  // Change of count^2 / shards over both nodes, times shards * shards: whole numbers, so no rounding.
  return (1 - 2 * a.count) * b.shards + (1 + 2 * b.count) * a.shards < 0;
}
