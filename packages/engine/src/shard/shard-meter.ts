import type { RecordCounters } from '@holdfast/processor';
import type { ShardStatName } from '../shard-stats.ts';
import { LagMeter } from './lag-meter.ts';
import type { PartitionLoop } from './partition-loop.ts';
import type { ShardContext } from './shard-context.ts';
import { StoreAhead } from './store-ahead.ts';
import type { StreamLinks } from './stream-links.ts';

/** Time between two questions for the ends of the partitions read here. */
const lagIntervalMs = 1_000;
/** Calls fail for moments now and then, as when a partition's leader in the log moves. */
const stoppedAfterMs = 15_000;

/** Copies what the cores count, and the levels of their queues, to the shard's statistics. */
export class ShardMeter {
  readonly #context: ShardContext;
  readonly #counters: RecordCounters;
  readonly #links: StreamLinks;
  readonly #loops: ReadonlyMap<string, PartitionLoop>;
  readonly #lag: LagMeter;
  readonly #storeAhead: StoreAhead;
  #lagAtMs = 0;
  #pausesSeen = 0;

  constructor(
    context: ShardContext,
    counters: RecordCounters,
    links: StreamLinks,
    loops: ReadonlyMap<string, PartitionLoop>,
  ) {
    this.#context = context;
    this.#counters = counters;
    this.#links = links;
    this.#loops = loops;
    this.#storeAhead = new StoreAhead(context);
    this.#lag = new LagMeter(context.options.log, context.options.logger, context.options.timers);
  }

  publish(nowMs: number): void {
    const { ingest, holder, heldBack } = this.#context;
    const { stats } = this.#context.options;
    for (const [name, value] of Object.entries(this.#counters)) stats.set(name as ShardStatName, value as number);
    stats.set('unitsHeld', holder.unitCount);
    stats.set('unitsDirty', holder.dirtyCount);
    stats.set('oldestDirtyAgeMs', holder.oldestDirtyMs === 0 ? 0 : Math.max(nowMs - holder.oldestDirtyMs, 1));
    stats.set('parkedRecords', ingest.parkedCount);
    stats.set('parkedBytes', ingest.parkedBytes);
    stats.set('framesInFlight', ingest.framesInFlight);
    stats.set('streamsOpen', this.#links.count);
    stats.set('handOverLeft', holder.ends.handOverLeft);
    stats.set('storeAheadEntries', this.#storeAhead.look(nowMs));
    stats.set('partitionsStopped', this.#countStopped(nowMs));
    heldBack.tell(nowMs);
    if (nowMs - this.#lagAtMs >= lagIntervalMs) {
      this.#lagAtMs = nowMs;
      this.#measurePauses();
      void this.#lag.look(this.#loops);
    }
    stats.set('partitionsRead', this.#loops.size);
    const lag = this.#lag.lag(this.#loops);
    stats.set('partitionsMeasured', lag.partitions);
    stats.set('lagRecords', lag.records);
    stats.set('lagMs', lag.waitMs);
    stats.set('lagAgeMs', lag.ageMs);
  }

  #countStopped(nowMs: number): number {
    let stopped = 0;
    for (const { failingSinceMs } of this.#loops.values()) {
      if (failingSinceMs !== null && nowMs - failingSinceMs >= stoppedAfterMs) stopped++;
    }
    return stopped;
  }

  #measurePauses(): void {
    const { pauses } = this.#context.ingest;
    if (pauses.count === this.#pausesSeen) return;
    const { stats } = this.#context.options;
    stats.add('pausesMeasured', pauses.count - this.#pausesSeen);
    this.#pausesSeen = pauses.count;
    stats.set('pauseP50Ms', pauses.percentile(0.5));
    stats.set('pauseP99Ms', pauses.percentile(0.99));
  }
}
