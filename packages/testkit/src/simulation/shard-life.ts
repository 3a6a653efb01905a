import type { FromShard, LeasedPartition, ShardPort } from '@holdfast/engine';

/** One shard of a simulated node, as long as it lives: as much of it as faults are done to. */
export interface ShardLife extends ShardPort {
  readonly index: number;
  readonly isEnded: boolean;
  /** Partitions that are leased to it, as it was told. */
  readonly partitions: readonly LeasedPartition[];
  /** Its loop doesn't turn. */
  isStuck: boolean;
  /** Puts words into its mouth. */
  say(message: FromShard): void;
  /** Nothing of it runs any more. */
  end(): void;
}
