import { type PartitionReading, readingChanged } from '@holdfast/processor';
import { LogError, type LogReader } from '../ports/log.ts';
import { delay } from '../ports/timers.ts';
import type { LeasedPartition } from '../shard-messages.ts';
import { untilItWorks } from './backoff.ts';
import { LastCommit } from './last-commit.ts';
import type { ShardContext } from './shard-context.ts';
import { findStart, startBehindGap } from './start-offset.ts';

/** How long one call of the log waits for records: bounds how late a change of the reading is noticed when idle. */
const fetchWaitMs = 100;

/**
 * Before what was void is read again. While the table shows an end and isn't at its index, each reading is void at once;
 * and a table that was left for a larger one in that moment never gets there: news of the other one comes by message, for
 * which this thread has to be free.
 */
const voidReadingMs = 1;
/** How often a partition that isn't read looks whether it is still leased here. */
const standingLookMs = 200;
/** How often the store is asked whether it has what the log no longer has: holders raise markers in their rounds. */
const gapLookMs = 30_000;
/** And where log or store didn't say. */
const gapLookAgainMs = 5_000;
/** Until the table is looked at again, and before a barrier that nobody confirmed is asked for again. */
const barrierLookMs = 5;
const barrierRetryMs = 50;

/** Where a reading begins, and the entry of the store's generation that says so. */
interface Start {
  readonly offset: number;
  readonly generationIndex: number;
}

/** Reads one leased partition and routes it, until the lease ends or the shard stops (PROTOCOL.md 3). */
export class PartitionLoop {
  readonly lease: LeasedPartition;
  readonly #context: ShardContext;
  reading: PartitionReading | null = null;
  readonly lastCommit = new LastCommit();
  /** Append time of the last record routed, to tell how late we are. */
  lastTimestampUnixMs = Number.NaN;
  #failingSinceMs: number | null = null;
  #gapLookDueMs = Number.NEGATIVE_INFINITY;
  /** Found for the next reading, in place of the one that stood before a gap. */
  #behindGap: Start | null = null;
  #ended = false;
  #onUnblocked: (() => void) | null = null;
  /** Resolves when the loop is over and its reader closed. */
  readonly done: Promise<void>;

  constructor(context: ShardContext, lease: LeasedPartition) {
    this.#context = context;
    this.lease = lease;
    this.done = this.#run().catch((error) => context.fail(error));
  }

  /** The lease is over, or the shard stops: routes and commits nothing more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.reading !== null && !this.#context.stopping) this.#context.ingest.losePartition(this.reading);
    this.unblock();
  }

  /** Calls of the log that it can't go on without have failed since then; null: the last one didn't. */
  get failingSinceMs(): number | null {
    return this.#failingSinceMs;
  }

  /** Something moved that a paused loop may wait for. */
  unblock(): void {
    const wake = this.#onUnblocked;
    this.#onUnblocked = null;
    wake?.();
  }

  get #over(): boolean {
    return this.#ended || this.#context.stopping || this.#context.stopped;
  }

  async #run(): Promise<void> {
    if (!this.#context.options.job.inputs.includes(this.lease.topic)) return this.#standStill();
    while (!this.#over) {
      const start = this.#behindGap ?? (await this.#startOffset());
      this.#behindGap = null;
      if (start === null) return;
      await this.#catchUp();
      if (this.#over) return;
      const { ingest } = this.#context;
      const { topic, topicId, partition, epoch } = this.lease;
      const id = { topicId, partition };
      const reading = ingest.startPartition(topic, id, epoch, start.offset, start.generationIndex);
      if (reading === null) continue;
      this.reading = reading;
      this.#gapLookDueMs = Number.NEGATIVE_INFINITY;
      this.lastCommit.forget();
      while (!this.#over && !reading.lost) {
        await this.#read(reading);
        await delay(this.#context.options.timers, voidReadingMs);
      }
      if (!this.#ended && !this.#context.stopping) this.reading = null;
    }
  }

  /**
   * Until the table shows all that was committed when the start was learned: what is durable below it may rest on ends and
   * grants that this node hasn't seen, and what was sent under an older index would be taken by whoever lost the unit then.
   */
  async #catchUp(): Promise<void> {
    const { barrier, leases, options } = this.#context;
    let asked = barrier.ask();
    while (!this.#over && (asked.index === null || leases.tableIndex() < asked.index)) {
      await delay(options.timers, barrierLookMs);
      if (!asked.isRefused) continue;
      await delay(options.timers, barrierRetryMs);
      asked = barrier.ask();
    }
  }

  /** The cluster has a topic that this node's job doesn't read: of another version of the job, or one that was renamed. */
  async #standStill(): Promise<void> {
    const error = new Error(`the job of this node does not read ${this.lease.topic}: which nodes run another version?`);
    this.#failed('a partition is not read', error, 1, standingLookMs);
    while (!this.#over) await delay(this.#context.options.timers, standingLookMs);
  }

  /** Where reading begins (3.1): the committed offset if it names the store's generation, else the least marker. */
  async #startOffset(): Promise<Start | null> {
    const { options, leases } = this.#context;
    for (;;) {
      if (this.#over) return null;
      const generationIndex = leases.generationIndex();
      const generation = this.#context.generation;
      if (generation === null || generation.number !== leases.generation()) {
        await delay(options.timers, 5);
        continue;
      }
      const offset = await untilItWorks(
        options.timers,
        async () => {
          const found = await findStart(options, this.lease, generation);
          if (typeof found !== 'string') return found;
          options.send({ kind: 'generationSeen', generationId: found });
          return null;
        },
        (error, ...again) => this.#failed('can not find the start of a partition', error, ...again),
        () => this.#over,
      );
      this.#failingSinceMs = null;
      // The generation may have moved while we asked: what we learned is about the older one then.
      if (offset !== null && leases.generationIndex() === generationIndex) return { offset, generationIndex };
      await delay(options.timers, 50);
    }
  }

  /** Reads from the reading's position until the reading changes. */
  async #read(reading: PartitionReading): Promise<void> {
    const { options, ingest, clock } = this.#context;
    const { timers, stats } = options;
    const number = reading.reading;
    const locator = options.job.newKeyLocator(this.lease.topic);
    const stale = () => this.#over || reading.lost || reading.reading !== number;
    const reader = await untilItWorks(
      timers,
      () => options.log.openReader(this.lease.topic, reading.id, reading.position),
      (error, ...again) => this.#failed('can not read a partition', error, ...again),
      stale,
    );
    if (reader === null) return;
    this.#failingSinceMs = null;
    try {
      while (!stale()) {
        const batch = await this.#next(reader, reading, stale);
        if (batch === null) continue;
        stats.add('recordsRead', batch.count);
        let row = 0;
        let pausedAt = -1;
        // A batch without records is routed too: it moves the position past what the log keeps for itself.
        do {
          const next = clock.measure('nsRoute', () =>
            ingest.route(reading, number, batch, row, locator, timers.monotonicMs()),
          );
          // Each pump unblocks what is paused: one that moved nothing since must not have another pump at once, or the
          // shard would do nothing else while it waits for a holder.
          if (next !== pausedAt) this.#context.wake();
          if (next === readingChanged) return;
          row = pausedAt = next;
          if (stale()) return;
          if (row < batch.count) await this.#blocked();
          if (stale()) return;
        } while (row < batch.count);
        if (batch.count > 0) this.lastTimestampUnixMs = batch.timestampsUnixMs[batch.count - 1]!;
        // A log that answers at once must not keep the event loop from returns and heartbeats.
        await delay(timers, 0);
      }
    } finally {
      await reader.close();
    }
  }

  async #next(reader: LogReader, reading: PartitionReading, stale: () => boolean) {
    const { options } = this.#context;
    const startMs = options.timers.monotonicMs();
    const batch = await untilItWorks(
      options.timers,
      async () => {
        try {
          return await reader.next(options.settings.fetchBytesMax, fetchWaitMs);
        } catch (error) {
          const isGone = error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE';
          if (isGone && (await this.#leaveGap(reading, stale))) return null;
          throw error;
        }
      },
      (error, ...again) => this.#failed('reading a partition failed', error, ...again),
      stale,
    );
    if (batch === null) return null;
    this.#failingSinceMs = null;
    options.stats.add('nsFetch', (options.timers.monotonicMs() - startMs) * 1e6);
    return batch;
  }

  /** The log has no more what comes next: where the store vouches for that, another reading begins behind it (3.1). */
  async #leaveGap(reading: PartitionReading, stale: () => boolean): Promise<boolean> {
    const { options, leases, ingest } = this.#context;
    const { topic, partition } = this.lease;
    const { position } = reading;
    const generationIndex = leases.generationIndex();
    const generation = this.#context.generation;
    const nowMs = options.timers.monotonicMs();
    if (nowMs < this.#gapLookDueMs || generation === null || generation.number !== leases.generation()) return false;
    try {
      const offset = await startBehindGap(options, this.lease, generation, position);
      if (!stale()) this.#gapLookDueMs = nowMs + gapLookMs;
      if (typeof offset === 'string') options.send({ kind: 'generationSeen', generationId: offset });
      // What we learned is about an older generation, or of a reading that went back, where something has changed meanwhile.
      if (typeof offset !== 'number' || stale() || leases.generationIndex() !== generationIndex) return false;
      const fields = { topic, partition, position, offset };
      options.logger.warn('the log has no more what comes next, but the store has: reading goes on behind it', fields);
      this.#behindGap = { offset, generationIndex };
      ingest.losePartition(reading);
      return true;
    } catch (error) {
      this.#gapLookDueMs = nowMs + gapLookAgainMs;
      options.logger.warn('whether the store has what the log has no more is not known', {
        topic,
        partition,
        err: error,
      });
      return false;
    }
  }

  #blocked(): Promise<void> {
    return new Promise((resolve) => {
      this.#onUnblocked = resolve;
    });
  }

  #failed(text: string, error: unknown, tries: number, retryInMs: number): void {
    const { topic, partition } = this.lease;
    const { logger, timers } = this.#context.options;
    this.#failingSinceMs ??= timers.monotonicMs();
    logger.warn(text, { topic, partition, err: error, tries, retryInMs });
  }
}
