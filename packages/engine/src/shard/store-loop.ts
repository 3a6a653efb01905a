import { bucketCount } from '@holdfast/model';
import {
  type ClaimWish,
  type MarkWish,
  type PartitionReading,
  type RowWish,
  UnreadableRowError,
} from '@holdfast/processor';
import type { Mark } from '../ports/backup-store.ts';
import { delay } from '../ports/timers.ts';
import { untilItWorks } from './backoff.ts';
import { ClaimSettler } from './claim-settler.ts';
import type { ShardContext } from './shard-context.ts';

/** Claims in one call of the store. */
const claimsMax = 1_000;
/** Calls with claims under way at a time: users wait for theirs, so new ones don't wait for the answer to others. */
const claimCallsMax = 4;
/** Markers in one call of the store: few, since a claim that comes meanwhile may have to wait for the call. */
const marksMax = 256;
/** A round's rows are spread over this part of the interval, and so are its markers. */
const spreadRatio = 0.3;
/** Between two parts of either. */
const restMsMax = 100;
/** How often each bucket is marked with the watermarks of the partitions read here, in rounds, or intervals without any (PROTOCOL.md 5.7). */
const markAllRounds = 4;
/**
 * After an unclean end, and for a new shard, the next round comes after this part of the interval. With nodes that die more
 * often than the interval lasts, nothing would ever get durable, and each loss would read again all that came before.
 */
const soonRatio = 0.1;

type Kind = 'claim' | 'write' | 'mark';

/**
 * Claims, rows and markers on their way to the store and back. Rows go one call at a time, and so do markers; claims go in
 * several: each claim is for itself. The last rows of closing units don't wait for the markers of a round that has ended.
 * An answer counts only if the generation is still the one the call named (PROTOCOL.md 5.2).
 */
export class StoreLoop {
  readonly #context: ShardContext;
  /** Calls under way. */
  readonly #running = new Set<Promise<void>>();
  readonly #calls: Record<Kind, number> = { claim: 0, write: 0, mark: 0 };
  #roundDueMs: number;
  #uncleanSeen: number;
  #roundRows = 0;
  #rounds = 0;
  #everywhereDueMs: number;
  /** With what each bucket was marked last. A reading is of one generation. */
  readonly #markedEverywhere = new WeakMap<PartitionReading, number>();
  #endRest: () => void = () => {};
  readonly #settler: ClaimSettler;

  constructor(context: ShardContext) {
    this.#context = context;
    this.#settler = new ClaimSettler(context);
    const nowMs = context.options.timers.monotonicMs();
    const { backupIntervalMs } = context.options.settings;
    this.#roundDueMs = nowMs + backupIntervalMs * soonRatio;
    this.#everywhereDueMs = nowMs + backupIntervalMs * markAllRounds;
    this.#uncleanSeen = context.leases.uncleanCount();
  }

  /** True while a call is under way. */
  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** Starts whatever can start now. */
  kick(nowMs: number): void {
    const { holder, options, leases } = this.#context;
    while (this.#calls.claim < claimCallsMax && holder.claimsQueued > 0) this.#start('claim', () => this.#claim());
    this.#settler.kick(nowMs);
    const uncleanCount = leases.uncleanCount();
    if (uncleanCount !== this.#uncleanSeen) {
      this.#uncleanSeen = uncleanCount;
      this.#roundDueMs = Math.min(this.#roundDueMs, nowMs + options.settings.backupIntervalMs * soonRatio);
    }
    const due = nowMs >= this.#roundDueMs || this.#context.stopping;
    if (due && !holder.roundActive && holder.roundDue) this.beginRound(nowMs);
    if (holder.rowsHurried) this.#endRest();
    const roundMoves = holder.roundActive && this.#calls.mark === 0;
    if (this.#calls.write === 0 && (holder.rowsQueued > 0 || roundMoves)) this.#start('write', () => this.#write());
    // Who only reads has no rounds: its records are others', or nobody's.
    const isQuiet = !holder.roundActive && this.#calls.mark === 0 && !this.#context.stopping;
    if (isQuiet && nowMs >= this.#everywhereDueMs) this.#start('mark', () => this.#markEverywhere());
  }

  /** Between two parts of a round; rows of closing units end it. */
  #rest(restMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#context.options.timers.setTimer(restMs, () => this.#endRest());
      this.#endRest = () => {
        this.#endRest = () => {};
        cancel();
        resolve();
      };
    });
  }

  beginRound(nowMs: number): void {
    const { holder, options } = this.#context;
    this.#roundDueMs = nowMs + options.settings.backupIntervalMs;
    this.#rounds++;
    holder.beginRound();
    this.#roundRows = holder.rowsQueued;
  }

  /** Resolves when no call is under way: after `stopped`, that is for good. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(kind: Kind, work: () => Promise<boolean>): void {
    const running = this.#run(kind, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Runs `work`; wakes the pump when it says that something moved. */
  async #run(kind: Kind, work: () => Promise<boolean>): Promise<void> {
    this.#calls[kind]++;
    let moved = true;
    try {
      moved = await work();
    } catch (error) {
      this.#context.fail(error);
    } finally {
      this.#calls[kind]--;
      if (moved) this.#context.wake();
    }
  }

  async #claim(): Promise<boolean> {
    const { holder, options } = this.#context;
    const claims = holder.takeClaims(claimsMax);
    const { generationIndex } = holder;
    const answer = await this.#call(claims, generationIndex, (id) => options.store.claim(id, claims));
    if (answer === null) return true;
    const nowMs = options.timers.monotonicMs();
    answer.forEach((result, i) => {
      const claim: ClaimWish = claims[i]!;
      if (result.code === 'OK') holder.onClaimed(claim, result.row, result.markers, generationIndex, nowMs);
      else if (result.code === 'CORRUPT')
        holder.onClaimed(claim, new UnreadableRowError(result.problem), result.markers, generationIndex, nowMs);
      else holder.onFenced(claim, result.epoch);
    });
    return true;
  }

  async #write(): Promise<boolean> {
    const { holder, options, clock } = this.#context;
    const { settings, timers } = options;
    while (!this.#context.stopped) {
      const rows = clock.measure('nsBackup', () => holder.takeRows(settings.backupRowsMax, timers.monotonicMs()));
      if (rows.length === 0) return this.#finishRound();
      const startMs = timers.monotonicMs();
      const savedUnixMs = timers.wallUnixMs();
      const writes = rows.map(({ hi, lo, epoch, seq, row }) => ({ hi, lo, epoch, seq, row, savedUnixMs }));
      const results = await this.#call(rows, holder.generationIndex, (id) => options.store.backup(id, writes));
      if (results === null) return true;
      const nowMs = timers.monotonicMs();
      results.forEach((result, i) => {
        const row: RowWish = rows[i]!;
        if (result.code === 'OK') holder.onRowAccepted(row, nowMs);
        else if (result.code === 'FENCED') holder.onFenced(row, result.epoch);
        else if (result.code === 'CORRUPT') holder.onRowCorrupt(row, result.problem);
        else holder.onRowStale(row);
      });
      this.#context.wake();
      if (!this.#context.stopping) {
        const shareMs = (rows.length / Math.max(this.#roundRows, 1)) * settings.backupIntervalMs * spreadRatio;
        const restMs = Math.min(shareMs - (nowMs - startMs), restMsMax);
        if (restMs > 0 && !holder.rowsHurried) await this.#rest(restMs);
      }
    }
    return false;
  }

  /** False when the round waits for something else: outputs, the table, or the markers of the round before. */
  #finishRound(): boolean {
    const { holder, options } = this.#context;
    if (!holder.roundActive || this.#calls.mark > 0) return false;
    const wishes = holder.finishRound(options.timers.monotonicMs());
    if (wishes === null) return false;
    const { generationIndex } = holder;
    const everywhere = this.#rounds % markAllRounds === 0;
    this.#start('mark', async () => {
      await this.#mark(wishes, generationIndex);
      return everywhere ? this.#markEverywhere() : true;
    });
    return true;
  }

  async #mark(wishes: readonly MarkWish[], generationIndex: number): Promise<void> {
    const { holder } = this.#context;
    for (let at = 0; at < wishes.length; at += marksMax) {
      if (at > 0) await this.#restFromMarks(Math.ceil(wishes.length / marksMax));
      const part = wishes.slice(at, at + marksMax);
      const marks = part.map(({ bucket, slot, offset }) => ({
        bucket,
        partition: holder.partitions.ids[slot]!,
        offset,
      }));
      if (!(await this.#sendMarks(marks, generationIndex))) return;
      for (const wish of part) holder.onMarked(wish, generationIndex);
    }
  }

  /**
   * Marks every bucket with the watermarks of the partitions read here: idle buckets would send a recovery back for ever.
   * Bucket after bucket, with all partitions at once: a store keeps a bucket's markers together. Nothing is written where
   * no watermark has moved since.
   */
  async #markEverywhere(): Promise<boolean> {
    const { ingest, leases, options } = this.#context;
    this.#everywhereDueMs = options.timers.monotonicMs() + options.settings.backupIntervalMs * markAllRounds;
    const first = new Map<PartitionReading, number>();
    for (let bucket = 0; bucket < bucketCount; ) {
      // Read before the rest is: readings are lost with their generation.
      const generationIndex = leases.generationIndex();
      ingest.catchUp();
      const known = [...ingest.partitions()]
        .filter(({ lost }) => !lost)
        .map((reading) => ({ reading, partition: reading.id, offset: ingest.durableWatermark(reading) }))
        .filter(({ offset }) => offset > 0);
      if (bucket === 0) for (const { reading, offset } of known) first.set(reading, offset);
      const hasMoved = [...first].some(([reading, offset]) => offset !== this.#markedEverywhere.get(reading));
      if (known.length === 0 || !hasMoved) return false;
      const buckets = Math.max(1, Math.floor(marksMax / known.length));
      const marks: Mark[] = [];
      for (const end = Math.min(bucket + buckets, bucketCount); bucket < end; bucket++) {
        for (const { partition, offset } of known) marks.push({ bucket, partition, offset });
      }
      if (!(await this.#sendMarks(marks, generationIndex))) return true;
      await this.#restFromMarks(Math.ceil(bucketCount / buckets));
    }
    for (const [reading, offset] of first) this.#markedEverywhere.set(reading, offset);
    return true;
  }

  /** Markers are spread like rows: users whose claims and last rows go between them wait for little. */
  async #restFromMarks(parts: number): Promise<void> {
    const { settings, timers } = this.#context.options;
    if (this.#context.stopping || this.#context.stopped) return;
    await delay(timers, Math.min((settings.backupIntervalMs * spreadRatio) / parts, restMsMax));
  }

  async #sendMarks(marks: readonly Mark[], generationIndex: number): Promise<boolean> {
    const { store } = this.#context.options;
    return (await this.#call([], generationIndex, (id) => store.mark(id, marks))) !== null;
  }

  /**
   * One call of the store, repeated with the same bytes until it is answered. Null when the answer counts for nothing:
   * the generation moved (the cores have begun anew then), or the shard stopped: one that has failed calls no job, whose
   * records would take the place of the one at which it did (PROTOCOL.md 6.2).
   * @param index of the generation that the call's content was made for. Not just what the table shows when the call
   * begins: it is shared memory, which may move on between any two steps here
   */
  async #call<T>(
    about: readonly { hi: number }[],
    index: number,
    call: (
      generationId: string,
    ) => Promise<{ code: 'OK'; results: readonly T[] } | { code: 'GENERATION'; generationId: string }>,
  ): Promise<readonly T[] | null> {
    const { options, leases } = this.#context;
    for (;;) {
      const generation = this.#context.generation;
      if (this.#context.stopped || leases.generationIndex() !== index) return null;
      if (generation === null || generation.number !== leases.generation()) {
        await delay(options.timers, 5);
        continue;
      }
      let isFailing = false;
      const answer = await untilItWorks(
        options.timers,
        () => call(generation.generationId),
        (error, tries) => {
          options.stats.add('backupFailures', 1);
          if (!isFailing) options.stats.add('storeCallsFailing', 1);
          isFailing = true;
          options.logger.warn('the backup store did not answer', { calls: about.length, tries, err: error });
        },
        () => this.#context.stopped || leases.generationIndex() !== index,
      );
      if (isFailing) options.stats.add('storeCallsFailing', -1);
      if (answer === null || this.#context.stopped || leases.generationIndex() !== index) return null;
      if (answer.code === 'OK') return answer.results;
      options.send({ kind: 'generationSeen', generationId: answer.generationId });
      await delay(options.timers, 200);
    }
  }
}
