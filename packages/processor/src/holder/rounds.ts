import { bucketOf } from '@holdfast/model';
import type { HeldUnit } from './held-unit.ts';
import type { HolderStream } from './holder-stream.ts';
import type { MarkerBook, MarkWish } from './marker-book.ts';
import type { OutputBuffer } from './output-buffer.ts';

/** How far a stream was settled when the round began. */
interface StreamNote {
  readonly stream: HolderStream;
  readonly frame: number;
}

/**
 * Backup rounds (PROTOCOL.md 5.4). A round notes what is settled and which units are dirty; when every one of those has a
 * row accepted that contains its state of that moment, everything noted is durable.
 */
export class Rounds {
  readonly #markers: MarkerBook;
  readonly #outputs: OutputBuffer;
  #dirty: HeldUnit[] = [];
  #notes: StreamNote[] = [];
  /** Units whose row the round waits for. */
  #queue: HeldUnit[] = [];
  /** Units that close: records wait for them, so their rows go first. */
  #hurried: HeldUnit[] = [];
  #buckets = new Set<number>();
  #remaining = 0;
  #outputsAtStart = 0;
  #dirtyOldestMs = 0;
  #roundOldestMs = 0;
  active = false;

  constructor(markers: MarkerBook, outputs: OutputBuffer) {
    this.#markers = markers;
    this.#outputs = outputs;
  }

  get dirtyCount(): number {
    return this.#dirty.length + this.#remaining;
  }

  /** Since when the oldest change waits for its backup; 0 for nothing dirty. */
  get oldestDirtyMs(): number {
    return this.active && this.#remaining > 0 ? this.#roundOldestMs : this.#dirty.length > 0 ? this.#dirtyOldestMs : 0;
  }

  changed(unit: HeldUnit, nowMs: number): void {
    // Its letters are all that there will be, and a round waits for those that were emitted before it.
    if (unit.rowless) return;
    if (!unit.dirty) unit.dirtySinceMs = nowMs;
    unit.version++;
    if (unit.inDirtyList) return;
    unit.inDirtyList = true;
    if (this.#dirty.length === 0) this.#dirtyOldestMs = nowMs;
    this.#dirty.push(unit);
  }

  /** Whether all that its records emitted is in the log. */
  isPublished(unit: HeldUnit): boolean {
    return unit.lastOutput <= this.#outputs.acked;
  }

  /** Has a unit's row written as soon as may be, outside of any round: it is closing. */
  hurry(unit: HeldUnit): void {
    this.#hurried.push(unit);
  }

  /** Some closing unit's row waits to be written. */
  get isHurried(): boolean {
    return this.#hurried.length > 0;
  }

  begin(streams: Iterable<HolderStream>): void {
    this.active = true;
    this.#notes = [];
    for (const stream of streams) {
      if (stream.settled > stream.reported) this.#notes.push({ stream, frame: stream.settled });
    }
    this.#outputsAtStart = this.#outputs.emitted;
    this.#roundOldestMs = Number.POSITIVE_INFINITY;
    for (const unit of this.#dirty) {
      unit.inDirtyList = false;
      if (!unit.dirty || !unit.held) continue;
      unit.needVersion = unit.version;
      this.#roundOldestMs = Math.min(this.#roundOldestMs, unit.dirtySinceMs);
      this.#remaining++;
      this.#queue.push(unit);
    }
    this.#dirty = [];
  }

  /**
   * Units whose rows may be written now, at most `max`; they leave the queue. Those whose outputs aren't acknowledged, or
   * whose last row is still under way, stay for later.
   */
  takeUnits(max: number): HeldUnit[] {
    const taken: HeldUnit[] = [];
    this.#hurried = this.#takeFrom(this.#hurried, taken, max);
    this.#queue = this.#takeFrom(this.#queue, taken, max);
    return taken;
  }

  /** @returns what stays in the queue */
  #takeFrom(queue: HeldUnit[], taken: HeldUnit[], max: number): HeldUnit[] {
    const later: HeldUnit[] = [];
    let i = 0;
    for (; i < queue.length && taken.length < max; i++) {
      const unit = queue[i]!;
      // A faulty unit's row would lack what was applied last. Its round goes on without it, and ends when it is dropped.
      if (!unit.dirty || !unit.held || unit.phase === 'faulty') continue;
      if (unit.flyingVersion >= 0 || unit.lastOutput > this.#outputs.acked) {
        // A busy unit that emits all the time would never be seen acknowledged: hold its records back until it is.
        if (unit.flyingVersion < 0) unit.paused = true;
        later.push(unit);
      } else {
        // Marked at once: the unit may stand in the queues twice, for the round and because it closes.
        unit.flyingVersion = unit.version;
        taken.push(unit);
      }
    }
    return i === 0 ? queue : later.concat(queue.slice(i));
  }

  get queued(): number {
    return this.#queue.length + this.#hurried.length;
  }

  saved(unit: HeldUnit, version: number): void {
    unit.savedVersion = Math.max(unit.savedVersion, version);
    this.#buckets.add(bucketOf(unit.hi, unit.lo));
    if (unit.needVersion !== 0 && unit.savedVersion >= unit.needVersion) this.#done(unit);
  }

  /** A unit that isn't held any more is nobody's concern: the table tells its ingests what to do. */
  dropped(unit: HeldUnit): void {
    if (unit.needVersion !== 0) this.#done(unit);
  }

  /** The round's row was not accepted or never answered: write it again. */
  again(unit: HeldUnit): void {
    this.#queue.push(unit);
  }

  /** True when all that the round noted is covered by accepted rows and acknowledged outputs. */
  complete(): boolean {
    return this.active && this.#remaining === 0 && this.#outputs.acked >= this.#outputsAtStart;
  }

  /** Ends a complete round: queues its durable reports and gives the markers it may raise. */
  finish(tableIndex: number): MarkWish[] {
    this.active = false;
    for (const { stream, frame } of this.#notes) {
      if (stream.ended) continue;
      stream.reported = frame;
      stream.returns.push({ kind: 'durable', frame, tableIndex });
    }
    this.#notes = [];
    const wishes = this.#markers.wishes(this.#buckets);
    this.#buckets = new Set();
    return wishes;
  }

  /** A generation entry voids the round: nothing that it counted is sure. */
  void(): void {
    this.active = false;
    this.#notes = [];
    this.#remaining = 0;
    this.#queue = [];
    this.#hurried = [];
    this.#buckets = new Set();
  }

  #done(unit: HeldUnit): void {
    unit.needVersion = 0;
    this.#remaining--;
  }
}
