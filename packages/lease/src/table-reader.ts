import type { LeaseEpoch, LogIndex, SessionId, ShardIndex } from '@holdfast/model';
import {
  entryAt,
  entryMask,
  entryWords,
  flagSuperseded,
  headerAt,
  holderAt,
  holderWords,
  layoutOf,
  loadPair,
  slotScale,
  slotTombstone,
} from './table-layout.ts';

/**
 * A shard's view of the lease table, over the buffer that the control thread writes. No messages, no locks.
 *
 * What a shard may rely on:
 * - once `tableIndex()` has shown i, every effect of entries up to i is seen by what is called afterwards;
 * - effects may be seen earlier, entry by entry and unit by unit: compare `epoch` where that matters;
 * - an unclean end is in `uncleanCount()` before any later grant is seen, so after a `lookup` the count tells
 *   about every unclean end that came before the lease it showed (PROTOCOL.md 2.3, 3.2).
 *
 * A buffer that is full is replaced. From then on `superseded` is true and the old buffer stands still: it still
 * answers truthfully as of its own `tableIndex()`, like any reader that lags, but never gets further. Attach
 * the buffer that the control thread sends.
 */
export class LeaseTableReader {
  /** Of the last `lookup` that returned true. */
  session = 0 as SessionId;
  shard = 0 as ShardIndex;
  epoch = 0 as LeaseEpoch;

  #words!: Int32Array;
  #holdersStart = 0;
  #slotsStart = 0;
  #slotsEnd = 0;
  #entriesStart = 0;
  #scale = 0;
  #base = -1;
  #sessionOf!: Float64Array;
  #shardOf!: Int32Array;
  #firstHolderOf = new Map<number, number>();
  #holdersSeen = 1;

  constructor(buffer: SharedArrayBuffer) {
    this.attach(buffer);
  }

  /** Reads from this buffer from now on. */
  attach(buffer: SharedArrayBuffer): void {
    const words = new Int32Array(buffer);
    const layout = layoutOf(words);
    this.#words = words;
    this.#holdersStart = layout.holdersStart;
    this.#slotsStart = layout.slotsStart;
    this.#slotsEnd = layout.slotsStart + layout.slotCount;
    this.#entriesStart = layout.entriesStart;
    this.#scale = slotScale(layout.slotCount);
    this.#base = -1;
    this.#sessionOf = new Float64Array(layout.holderCapacity);
    this.#shardOf = new Int32Array(layout.holderCapacity);
    this.#firstHolderOf = new Map();
    this.#holdersSeen = 1;
  }

  /** The writer has gone on to another buffer: ask for it. */
  get superseded(): boolean {
    return (Atomics.load(this.#words, headerAt.flags) & flagSuperseded) !== 0;
  }

  /** Raft index up to which the table is applied. */
  tableIndex(): LogIndex {
    return loadPair(this.#words, headerAt.tableIndexPair) as LogIndex;
  }

  /** How many unclean ends there were; compare for change only. */
  uncleanCount(): number {
    return Atomics.load(this.#words, headerAt.uncleanCount) >>> 0;
  }

  /** Index of the last unclean end. */
  uncleanIndex(): LogIndex {
    return loadPair(this.#words, headerAt.uncleanIndexPair) as LogIndex;
  }

  /** How many leases were ended by force. */
  forcedCount(): number {
    return Atomics.load(this.#words, headerAt.forcedCount) >>> 0;
  }

  /** What is added to a grant's index to make its epoch; final once a lease exists. */
  epochBase(): number {
    return loadPair(this.#words, headerAt.epochBasePair);
  }

  /** Number of the store's generation, 0 before the first is known (PROTOCOL.md 5.8). */
  generation(): number {
    return Atomics.load(this.#words, headerAt.generation) >>> 0;
  }

  /** Index of the latest entry that put a unit into quarantine or released one. */
  quarantineIndex(): LogIndex {
    return loadPair(this.#words, headerAt.quarantineIndexPair) as LogIndex;
  }

  /** Index of the latest generation entry. Once it is seen, so is that entry's `generation()`: read this first. */
  generationIndex(): LogIndex {
    return loadPair(this.#words, headerAt.generationIndexPair) as LogIndex;
  }

  /**
   * Who holds a unit: true fills `session`, `shard` and `epoch`; false is free, or its holder's session is over.
   * @param hi high half of the unit, signed or unsigned
   * @param lo low half
   */
  lookup(hi: number, lo: number): boolean {
    const words = this.#words;
    hi |= 0;
    lo |= 0;
    let slot = this.#slotsStart + (((hi >>> 0) * this.#scale) | 0);
    for (;;) {
      const word = words[slot]!;
      if (word === 0) return false;
      if ((word ^ lo) >>> 24 === 0 && (word & entryMask) > slotTombstone) {
        const at = this.#entriesStart + (word & entryMask) * entryWords;
        if (words[at + entryAt.lo] === lo && words[at + entryAt.hi] === hi) {
          // The atomic load meets the writer's atomic store: what was written to the entry before is seen after it.
          // Atomics cost 15 ns each, so the probe itself does without, and only a find is confirmed.
          if (Atomics.load(words, slot) !== word) continue;
          if (words[at + entryAt.lo] === lo && words[at + entryAt.hi] === hi) return this.#read(words, at);
          continue;
        }
      }
      if (++slot === this.#slotsEnd) slot = this.#slotsStart;
    }
  }

  /**
   * Visits the live leases named by up to `count` slots from `place` on, with `session`, `shard` and `epoch` filled as by
   * `lookup`. A lease that comes or goes meanwhile may be missed. Returns the place to go on from; 0 after the last slot.
   */
  visitSome(place: number, count: number, visit: (hi: number, lo: number) => void): number {
    const words = this.#words;
    const start = this.#slotsStart + place;
    const end = Math.min(start + count, this.#slotsEnd);
    for (let slot = start; slot < end; slot++) {
      const word = Atomics.load(words, slot);
      if ((word & entryMask) <= slotTombstone) continue;
      const at = this.#entriesStart + (word & entryMask) * entryWords;
      if (this.#read(words, at)) visit(words[at + entryAt.hi]! >>> 0, words[at + entryAt.lo]! >>> 0);
    }
    return end >= this.#slotsEnd ? 0 : end - this.#slotsStart;
  }

  /** The session exists in the table and has not ended. */
  isLive(session: number): boolean {
    this.#learnHolders();
    const holder = this.#firstHolderOf.get(session);
    if (holder === undefined) return false;
    return Atomics.load(this.#words, this.#holdersStart + holder * holderWords + holderAt.alive) === 1;
  }

  #read(words: Int32Array, at: number): boolean {
    const meta = words[at + entryAt.meta]!;
    const holder = meta >>> 16;
    const holderStart = this.#holdersStart + holder * holderWords;
    if (words[holderStart + holderAt.alive] !== 1) return false;
    if (this.#sessionOf[holder] === 0) this.#learnHolder(holder);
    // The base is in the log before the first grant, so with a lease in hand it is final.
    if (this.#base < 0) this.#base = loadPair(words, headerAt.epochBasePair);
    this.session = this.#sessionOf[holder] as SessionId;
    this.shard = this.#shardOf[holder] as ShardIndex;
    this.epoch = (this.#base + (meta & 0xffff) * 2 ** 32 + (words[at + entryAt.indexLow]! >>> 0)) as LeaseEpoch;
    return true;
  }

  #learnHolders(): void {
    const count = Atomics.load(this.#words, headerAt.holderCount);
    while (this.#holdersSeen < count) {
      const holder = this.#holdersSeen++;
      this.#learnHolder(holder);
      const session = this.#sessionOf[holder]!;
      if (!this.#firstHolderOf.has(session)) this.#firstHolderOf.set(session, holder);
    }
  }

  #learnHolder(holder: number): void {
    const start = this.#holdersStart + holder * holderWords;
    const words = this.#words;
    this.#sessionOf[holder] = words[start + holderAt.sessionHi]! * 2 ** 32 + (words[start + holderAt.sessionLo]! >>> 0);
    this.#shardOf[holder] = words[start + holderAt.shard]!;
  }
}
