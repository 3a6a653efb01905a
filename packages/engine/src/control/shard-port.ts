import type { FromShard, ToShard } from '../shard-messages.ts';
import type { ShardStats } from '../shard-stats.ts';

/** One shard as the control thread reaches it: a worker thread, or the same thread in a simulated node. */
export interface ShardPort {
  /** Counters that the shard writes; `heartbeat` proves that its loop turns. */
  readonly stats: ShardStats;
  /** Never throws; what is posted to a dead shard is lost. */
  post(message: ToShard): void;
  /** Sets the one listener; what came before is kept for it. */
  onMessage(listener: (message: FromShard) => void): void;
}
