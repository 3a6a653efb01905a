import type { Timers } from '../ports/timers.ts';
import type { ShardStatName, ShardStats } from '../shard-stats.ts';

/** Times stages of the record path, per batch, into the statistics. Nested stages are not subtracted: keep them apart. */
export class StageClock {
  readonly #timers: Timers;
  readonly #stats: ShardStats;

  constructor(timers: Timers, stats: ShardStats) {
    this.#timers = timers;
    this.#stats = stats;
  }

  measure<T>(stage: Extract<ShardStatName, `ns${string}`>, work: () => T): T {
    const startMs = this.#timers.monotonicMs();
    try {
      return work();
    } finally {
      this.#stats.add(stage, (this.#timers.monotonicMs() - startMs) * 1e6);
    }
  }
}
