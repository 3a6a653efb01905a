import { assert } from '@holdfast/model';
import {
  createTableWords,
  entryAt,
  entryCapacityMax,
  entryFirst,
  entryMask,
  entryWords,
  flagSuperseded,
  grantIndexMax,
  headerAt,
  headerStateAt,
  headerWords,
  holderAt,
  holderCapacityMax,
  holderWords,
  layoutFor,
  slotEmpty,
  slotScale,
  slotTombstone,
  type TableLayout,
  tagMask,
} from './table-layout.ts';

/** Called once per live lease. */
export type UnitVisitor = (hi: number, lo: number, session: number, shard: number, grantIndex: number) => void;

/** Everything a snapshot needs of the units at one moment; see `table-snapshot.ts`. */
export interface UnitsView {
  /** The buffer itself: what is in its entries before `end` never changes any more. */
  readonly words: Int32Array;
  readonly entriesStart: number;
  /** a bit per entry: a slot names it */
  readonly current: Uint32Array;
  /** first entry not used yet */
  readonly end: number;
  /** live sessions, in holder order, with the number of their first holder */
  readonly sessions: readonly { readonly session: number; readonly shards: number; readonly firstHolder: number }[];
  readonly unitCount: number;
}

export interface SessionHolders {
  readonly firstHolder: number;
  readonly shards: number;
}

const entryCapacityMin = 1024;
const holderCapacityMin = 64;

/**
 * One buffer of the lease table (layout and rules: `table-layout.ts`) and what only its writer knows of it: which entries
 * are current, and how many leases each holder has. One thread writes; it is full when its entries are used up.
 */
export class UnitBuffer {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly layout: TableLayout;
  readonly sessions = new Map<number, SessionHolders>();
  readonly #scale: number;
  #entryEnd = entryFirst;
  #holderEnd = 1;
  /** a bit per entry: a slot names it */
  readonly #current: Uint32Array;
  /** per holder: leases, also those of holders whose session is over */
  readonly #counts: Int32Array;
  #unitCount = 0;

  /** Has room for at least so many. */
  constructor(entries: number, holders: number) {
    const capacity = Math.min(entryCapacityMax, Math.max(entryCapacityMin, Math.ceil(entries) + entryFirst));
    this.layout = layoutFor(capacity, Math.min(holderCapacityMax, Math.max(holderCapacityMin, holders + 1)));
    this.words = createTableWords(this.layout);
    this.#scale = slotScale(this.layout.slotCount);
    this.#current = new Uint32Array((capacity >>> 5) + 1);
    this.#counts = new Int32Array(this.layout.holderCapacity);
  }

  /** Units with a live lease. */
  get unitCount(): number {
    return this.#unitCount;
  }

  /** How many more `put`s there is room for. */
  get entriesLeft(): number {
    return this.layout.entryCapacity - this.#entryEnd;
  }

  get holdersLeft(): number {
    return this.layout.holderCapacity - this.#holderEnd;
  }

  load(session: number, shard: number): number {
    const holders = this.sessions.get(session);
    return holders === undefined || shard >= holders.shards ? 0 : this.#counts[holders.firstHolder + shard]!;
  }

  /** Needs `holdersLeft`. Returns the number of the first shard. */
  addSession(session: number, shards: number): number {
    assert(!this.sessions.has(session), `session ${session} is in the table already`);
    assert(shards <= this.holdersLeft, 'a session without room');
    const first = this.#holderEnd;
    for (let shard = 0; shard < shards; shard++) {
      const start = this.#holderStart(first + shard);
      this.words[start + holderAt.sessionHi] = Math.floor(session / 2 ** 32);
      this.words[start + holderAt.sessionLo] = session | 0;
      this.words[start + holderAt.shard] = shard;
      Atomics.store(this.words, start + holderAt.alive, 1);
    }
    this.#holderEnd = first + shards;
    Atomics.store(this.words, headerAt.holderCount, this.#holderEnd);
    this.sessions.set(session, { firstHolder: first, shards });
    return first;
  }

  /** All leases of the session are over at once: one store per shard. Returns how many there were. */
  endSession(session: number): number {
    const holders = this.sessions.get(session);
    assert(holders !== undefined, `session ${session} is not in the table`);
    let ended = 0;
    for (let i = 0; i < holders.shards; i++) {
      Atomics.store(this.words, this.#holderStart(holders.firstHolder + i) + holderAt.alive, 0);
      ended += this.#counts[holders.firstHolder + i]!;
    }
    this.sessions.delete(session);
    this.#unitCount -= ended;
    return ended;
  }

  /** The slot of a unit's live lease, or -1. Valid until the next change. */
  find(hi: number, lo: number): number {
    const slot = this.#probe(hi | 0, lo | 0, false);
    return slot >= 0 && this.#isAlive(this.#holderAtSlot(slot)) ? slot : -1;
  }

  grantIndexAt(slot: number): number {
    const at = this.#entryStart(this.words[slot]! & entryMask);
    return (this.words[at + entryAt.meta]! & 0xffff) * 2 ** 32 + (this.words[at + entryAt.indexLow]! >>> 0);
  }

  hiAt(slot: number): number {
    return this.words[this.#entryStart(this.words[slot]! & entryMask) + entryAt.hi]!;
  }

  loAt(slot: number): number {
    return this.words[this.#entryStart(this.words[slot]! & entryMask) + entryAt.lo]!;
  }

  /** Grants a unit: over nothing, a dead lease, or (a move) a live one. Needs room. Returns its slot. */
  put(hi: number, lo: number, holder: number, grantIndex: number): number {
    assert(this.#entryEnd < this.layout.entryCapacity, 'a lease without room');
    assert(grantIndex <= grantIndexMax, `grant index ${grantIndex}`);
    const slot = this.#probe(hi | 0, lo | 0, true);
    this.#forget(slot);
    const entry = this.#writeEntry(hi, lo, holder, grantIndex);
    Atomics.store(this.words, slot, (lo & tagMask) | entry);
    this.#unitCount++;
    return slot;
  }

  /** Ends the lease at a slot that `find` returned. */
  remove(slot: number): void {
    this.#forget(slot);
    Atomics.store(this.words, slot, slotTombstone);
  }

  /** Every live lease, in no order that means anything. */
  visit(visitor: UnitVisitor): void {
    for (let entry = entryFirst; entry < this.#entryEnd; entry++) {
      if (!isCurrent(this.#current, entry)) continue;
      const at = this.#entryStart(entry);
      const meta = this.words[at + entryAt.meta]!;
      const holder = meta >>> 16;
      if (!this.#isAlive(holder)) continue;
      const index = (meta & 0xffff) * 2 ** 32 + (this.words[at + entryAt.indexLow]! >>> 0);
      const start = this.#holderStart(holder);
      const session =
        this.words[start + holderAt.sessionHi]! * 2 ** 32 + (this.words[start + holderAt.sessionLo]! >>> 0);
      const [hi, lo] = [this.words[at + entryAt.hi]! >>> 0, this.words[at + entryAt.lo]! >>> 0];
      visitor(hi, lo, session, this.words[start + holderAt.shard]!, index);
    }
  }

  /** The leases of this moment, for as long as somebody looks at them: a copy of one bit per lease, however many change. */
  view(): UnitsView {
    const sessions = [...this.sessions].map(([session, { firstHolder, shards }]) => ({ session, shards, firstHolder }));
    return {
      words: this.words,
      entriesStart: this.layout.entriesStart,
      current: this.#current.slice(0, (this.#entryEnd >>> 5) + 1),
      end: this.#entryEnd,
      sessions: sessions.sort((a, b) => a.firstHolder - b.firstHolder),
      unitCount: this.#unitCount,
    };
  }

  /** Takes over the header's state, as the last step before others see this buffer. */
  takeState(from: UnitBuffer): void {
    this.words.set(from.words.subarray(headerStateAt, headerWords), headerStateAt);
  }

  /** The buffer won't be written any more; its readers are to attach another. */
  supersede(): void {
    Atomics.or(this.words, headerAt.flags, flagSuperseded);
  }

  /**
   * Adds entries (in the form of `entryAt`, holders numbered as here) whose units are known not to be there, while
   * nobody reads yet: at a rebuild or a restore.
   */
  append(entries: Int32Array, length: number): void {
    const words = this.words;
    const scale = this.#scale;
    const { slotsStart, slotCount } = this.layout;
    const end = slotsStart + slotCount;
    const first = this.#entryEnd;
    const count = length / entryWords;
    assert(first + count <= this.layout.entryCapacity, 'leases without room');
    words.set(entries.subarray(0, length), this.#entryStart(first));
    for (let i = 0; i < count; i++) {
      const at = i * entryWords;
      let slot = slotsStart + (((entries[at + entryAt.hi]! >>> 0) * scale) | 0);
      while (words[slot] !== slotEmpty) if (++slot === end) slot = slotsStart;
      words[slot] = (entries[at + entryAt.lo]! & tagMask) | (first + i);
      setCurrent(this.#current, first + i);
      this.#counts[entries[at + entryAt.meta]! >>> 16]!++;
    }
    this.#entryEnd = first + count;
    this.#unitCount += count;
  }

  /** The slot that names the unit; without one, the slot to put it in (`forPut`) or -1. */
  #probe(hi: number, lo: number, forPut: boolean): number {
    const words = this.words;
    const { slotsStart, slotCount, entriesStart } = this.layout;
    const end = slotsStart + slotCount;
    let reusable = -1;
    let slot = slotsStart + (((hi >>> 0) * this.#scale) | 0);
    for (;;) {
      const word = words[slot]!;
      if (word === slotEmpty) return reusable >= 0 ? reusable : forPut ? slot : -1;
      if (word === slotTombstone) {
        if (forPut && reusable < 0) reusable = slot;
      } else if ((word ^ lo) >>> 24 === 0) {
        const at = entriesStart + (word & entryMask) * entryWords;
        if (words[at + entryAt.lo] === lo && words[at + entryAt.hi] === hi) return slot;
      }
      if (++slot === end) slot = slotsStart;
    }
  }

  #writeEntry(hi: number, lo: number, holder: number, grantIndex: number): number {
    const entry = this.#entryEnd++;
    const at = this.#entryStart(entry);
    this.words[at + entryAt.lo] = lo;
    this.words[at + entryAt.hi] = hi;
    this.words[at + entryAt.meta] = (holder << 16) | Math.floor(grantIndex / 2 ** 32);
    this.words[at + entryAt.indexLow] = grantIndex;
    setCurrent(this.#current, entry);
    this.#counts[holder]!++;
    return entry;
  }

  /** The entry a slot names, if any, is no lease any more. */
  #forget(slot: number): void {
    const word = this.words[slot]!;
    if (word === slotEmpty || word === slotTombstone) return;
    const entry = word & entryMask;
    const holder = this.#holderAtSlot(slot);
    this.#current[entry >>> 5]! &= ~(1 << (entry & 31));
    this.#counts[holder]!--;
    if (this.#isAlive(holder)) this.#unitCount--;
  }

  #holderAtSlot(slot: number): number {
    return this.words[this.#entryStart(this.words[slot]! & entryMask) + entryAt.meta]! >>> 16;
  }

  #isAlive(holder: number): boolean {
    return this.words[this.#holderStart(holder) + holderAt.alive] === 1;
  }

  #holderStart(holder: number): number {
    return this.layout.holdersStart + holder * holderWords;
  }

  #entryStart(entry: number): number {
    return this.layout.entriesStart + entry * entryWords;
  }
}

export function isCurrent(current: Uint32Array, entry: number): boolean {
  return (current[entry >>> 5]! & (1 << (entry & 31))) !== 0;
}

function setCurrent(current: Uint32Array, entry: number): void {
  current[entry >>> 5]! |= 1 << (entry & 31);
}
