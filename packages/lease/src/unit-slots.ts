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

/** Everything a snapshot needs of the units, copied at one moment; see `table-snapshot.ts`. */
export interface UnitsCopy {
  readonly entries: Int32Array;
  /** per entry: 1 when a slot names it */
  readonly current: Uint8Array;
  /** first entry not used yet */
  readonly end: number;
  /** live sessions, in holder order, with the number of their first holder */
  readonly sessions: readonly { readonly session: number; readonly shards: number; readonly firstHolder: number }[];
  readonly unitCount: number;
}

const entryCapacityMin = 1024;
const holderCapacityMin = 64;
/** Room in a new buffer: half as many entries again as are live, so a rebuild is paid for by as many grants. */
const growthFactor = 1.5;
/** A buffer with fewer than one live entry in so many is replaced by a smaller one. */
const shrinkBelowRatio = 1 / 8;
/** Entries gathered before they are appended: a page of memory. */
const carryBatch = 256;

interface SessionHolders {
  readonly firstHolder: number;
  readonly shards: number;
}

/**
 * The writing half of the table's buffer (layout and rules: `table-layout.ts`): units, sessions' holders, and the
 * next buffer when this one is full. Knows nothing of records. One thread writes.
 */
export class UnitSlots {
  #words!: Int32Array<SharedArrayBuffer>;
  #layout!: TableLayout;
  #scale = 0;
  #entryEnd = entryFirst;
  #holderEnd = 1;
  /** per entry: 1 when a slot names it */
  #current!: Uint8Array;
  /** per holder: leases, also those of holders whose session is over */
  #counts!: Int32Array;
  #sessions = new Map<number, SessionHolders>();
  #unitCount = 0;
  readonly #onBuffer: (buffer: SharedArrayBuffer) => void;

  constructor(onBuffer: (buffer: SharedArrayBuffer) => void, unitsExpected = 0, holdersExpected = 0) {
    this.#onBuffer = onBuffer;
    this.#startBuffer(unitsExpected, holdersExpected);
  }

  get buffer(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  /** The header is written by the table. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Units with a live lease. */
  get unitCount(): number {
    return this.#unitCount;
  }

  /** How many live leases a shard has. */
  load(session: number, shard: number): number {
    const holders = this.#sessions.get(session);
    return holders === undefined || shard >= holders.shards ? 0 : this.#counts[holders.firstHolder + shard]!;
  }

  addSession(session: number, shards: number): void {
    assert(!this.#sessions.has(session), `session ${session} is in the table already`);
    if (this.#holderEnd + shards > this.#layout.holderCapacity) this.#rebuild(0, shards);
    this.#addHolders(session, shards);
  }

  /** All leases of the session are over at once: one store per shard. Returns how many there were. */
  endSession(session: number): number {
    const holders = this.#sessions.get(session);
    assert(holders !== undefined, `session ${session} is not in the table`);
    let ended = 0;
    for (let i = 0; i < holders.shards; i++) {
      Atomics.store(this.#words, this.#holderStart(holders.firstHolder + i) + holderAt.alive, 0);
      ended += this.#counts[holders.firstHolder + i]!;
    }
    this.#sessions.delete(session);
    this.#unitCount -= ended;
    return ended;
  }

  /** Makes room for so many `put`s; may go on to another buffer. */
  reserve(puts: number): void {
    if (this.#entryEnd + puts > this.#layout.entryCapacity) this.#rebuild(puts, 0);
  }

  /** Gives memory back when most of the buffer is dead. */
  shrink(): void {
    const { entryCapacity } = this.#layout;
    if (entryCapacity > entryCapacityMin * 8 && this.#unitCount < entryCapacity * shrinkBelowRatio) this.#rebuild(0, 0);
  }

  /** Number of a live session's shard for `put`, valid until the next `reserve` or `addSession`; 0 when there is none. */
  holderOf(session: number, shard: number): number {
    const holders = this.#sessions.get(session);
    return holders === undefined || shard >= holders.shards ? 0 : holders.firstHolder + shard;
  }

  /** The slot of a unit's live lease, or -1. Valid until the next change. */
  find(hi: number, lo: number): number {
    const slot = this.#probe(hi | 0, lo | 0, false);
    return slot >= 0 && this.#isAlive(this.#holderAtSlot(slot)) ? slot : -1;
  }

  grantIndexAt(slot: number): number {
    const at = this.#entryStart(this.#words[slot]! & entryMask);
    return (this.#words[at + entryAt.meta]! & 0xffff) * 2 ** 32 + (this.#words[at + entryAt.indexLow]! >>> 0);
  }

  sessionAt(slot: number): number {
    return this.#sessionOfHolder(this.#holderAtSlot(slot));
  }

  /** Grants a unit: over nothing, a dead lease, or (a move) a live one. Needs room: `reserve` first. */
  put(hi: number, lo: number, holder: number, grantIndex: number): void {
    assert(this.#entryEnd < this.#layout.entryCapacity, 'a lease without room');
    assert(grantIndex <= grantIndexMax, `grant index ${grantIndex}`);
    const slot = this.#probe(hi | 0, lo | 0, true);
    this.#forget(slot);
    const entry = this.#writeEntry(hi, lo, holder, grantIndex);
    Atomics.store(this.#words, slot, (lo & tagMask) | entry);
    this.#unitCount++;
  }

  /** Ends the lease at a slot that `find` returned. */
  remove(slot: number): void {
    this.#forget(slot);
    Atomics.store(this.#words, slot, slotTombstone);
  }

  /** Every live lease, in no order that means anything. */
  visit(visitor: UnitVisitor): void {
    for (let entry = entryFirst; entry < this.#entryEnd; entry++) {
      if (this.#current[entry] === 0) continue;
      const at = this.#entryStart(entry);
      const meta = this.#words[at + entryAt.meta]!;
      const holder = meta >>> 16;
      if (!this.#isAlive(holder)) continue;
      const index = (meta & 0xffff) * 2 ** 32 + (this.#words[at + entryAt.indexLow]! >>> 0);
      const shard = this.#words[this.#holderStart(holder) + holderAt.shard]!;
      const [hi, lo] = [this.#words[at + entryAt.hi]! >>> 0, this.#words[at + entryAt.lo]! >>> 0];
      visitor(hi, lo, this.#sessionOfHolder(holder), shard, index);
    }
  }

  /** Plain copies of memory: a few milliseconds for a million units. */
  copy(): UnitsCopy {
    const { entriesStart } = this.#layout;
    const sessions = [...this.#sessions].map(([session, { firstHolder, shards }]) => ({
      session,
      shards,
      firstHolder,
    }));
    return {
      entries: new Int32Array(this.#words.subarray(entriesStart, entriesStart + this.#entryEnd * entryWords)),
      current: this.#current.slice(0, this.#entryEnd),
      end: this.#entryEnd,
      sessions: sessions.sort((a, b) => a.firstHolder - b.firstHolder),
      unitCount: this.#unitCount,
    };
  }

  /** The buffer won't be written any more; its readers are to attach another. */
  supersede(): void {
    Atomics.or(this.#words, headerAt.flags, flagSuperseded);
  }

  #startBuffer(units: number, holders: number): void {
    const entries = Math.max(entryCapacityMin, Math.ceil(units * growthFactor) + entryFirst);
    const capacity = Math.min(entryCapacityMax, entries);
    this.#layout = layoutFor(capacity, Math.min(holderCapacityMax, Math.max(holderCapacityMin, holders * 2 + 1)));
    this.#words = createTableWords(this.#layout);
    this.#scale = slotScale(this.#layout.slotCount);
    this.#entryEnd = entryFirst;
    this.#holderEnd = 1;
    this.#current = new Uint8Array(capacity);
    this.#counts = new Int32Array(this.#layout.holderCapacity);
    this.#sessions = new Map();
    this.#unitCount = 0;
  }

  /** The next buffer: live leases of live sessions only, and room for more. Old readers see the flag last. */
  #rebuild(puts: number, shards: number): void {
    const old = { words: this.#words, layout: this.#layout };
    const sessions = this.#sessions;
    let holders = shards;
    for (const session of sessions.values()) holders += session.shards;
    const units = this.#unitCount + puts;
    this.#startBuffer(units, holders);
    assert(entryFirst + units <= this.#layout.entryCapacity, `${units} leases are more than the table can hold`);
    this.#words.set(old.words.subarray(headerStateAt, headerWords), headerStateAt);
    const renumbered = new Uint16Array(old.layout.holderCapacity);
    for (const [session, { firstHolder, shards: count }] of sessions) {
      const first = this.#addHolders(session, count);
      for (let i = 0; i < count; i++) renumbered[firstHolder + i] = first + i;
    }
    this.#carryOver(old.words, old.layout, renumbered);
    Atomics.or(old.words, headerAt.flags, flagSuperseded);
    this.#onBuffer(this.#words.buffer);
  }

  /**
   * Takes over the live leases of another buffer, in the order of its slots: homes keep their order in a table of
   * any size, so the new slots are filled from one end to the other, and so are entries. What was carried over once
   * is in that order already; a rebuild then reads memory mostly in sequence (half the time, measured).
   */
  #carryOver(words: Int32Array, layout: TableLayout, renumbered: Uint16Array): void {
    const slotsEnd = layout.slotsStart + layout.slotCount;
    const batch = new Int32Array(carryBatch * entryWords);
    let filled = 0;
    for (let slot = layout.slotsStart; slot < slotsEnd; slot++) {
      const word = words[slot]!;
      if (word === slotEmpty || word === slotTombstone) continue;
      const at = layout.entriesStart + (word & entryMask) * entryWords;
      const meta = words[at + entryAt.meta]!;
      const holder = renumbered[meta >>> 16]!;
      if (holder === 0) continue;
      batch[filled + entryAt.lo] = words[at + entryAt.lo]!;
      batch[filled + entryAt.hi] = words[at + entryAt.hi]!;
      batch[filled + entryAt.meta] = (holder << 16) | (meta & 0xffff);
      batch[filled + entryAt.indexLow] = words[at + entryAt.indexLow]!;
      filled += entryWords;
      if (filled < batch.length) continue;
      this.append(batch, filled);
      filled = 0;
    }
    this.append(batch, filled);
  }

  /**
   * Adds entries (in the form of `entryAt`, holders numbered as here) whose units are known not to be there, while
   * nobody reads yet: at a rebuild or a restore.
   */
  append(entries: Int32Array, length: number): void {
    const words = this.#words;
    const scale = this.#scale;
    const { slotsStart, slotCount } = this.#layout;
    const end = slotsStart + slotCount;
    const first = this.#entryEnd;
    assert(first + length / entryWords <= this.#layout.entryCapacity, 'leases without room');
    words.set(entries.subarray(0, length), this.#entryStart(first));
    this.#current.fill(1, first, first + length / entryWords);
    for (let at = 0; at < length; at += entryWords) {
      let slot = slotsStart + (((entries[at + entryAt.hi]! >>> 0) * scale) | 0);
      while (words[slot] !== slotEmpty) if (++slot === end) slot = slotsStart;
      words[slot] = (entries[at + entryAt.lo]! & tagMask) | (first + at / entryWords);
      this.#counts[entries[at + entryAt.meta]! >>> 16]!++;
    }
    this.#entryEnd = first + length / entryWords;
    this.#unitCount += length / entryWords;
  }

  /** The slot that names the unit; without one, the slot to put it in (`forPut`) or -1. */
  #probe(hi: number, lo: number, forPut: boolean): number {
    const words = this.#words;
    const { slotsStart, slotCount, entriesStart } = this.#layout;
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
    this.#words[at + entryAt.lo] = lo;
    this.#words[at + entryAt.hi] = hi;
    this.#words[at + entryAt.meta] = (holder << 16) | Math.floor(grantIndex / 2 ** 32);
    this.#words[at + entryAt.indexLow] = grantIndex;
    this.#current[entry] = 1;
    this.#counts[holder]!++;
    return entry;
  }

  /** The entry a slot names, if any, is no lease any more. */
  #forget(slot: number): void {
    const word = this.#words[slot]!;
    if (word === slotEmpty || word === slotTombstone) return;
    const entry = word & entryMask;
    const holder = this.#holderAtSlot(slot);
    this.#current[entry] = 0;
    this.#counts[holder]!--;
    if (this.#isAlive(holder)) this.#unitCount--;
  }

  #addHolders(session: number, shards: number): number {
    const first = this.#holderEnd;
    for (let shard = 0; shard < shards; shard++) {
      const start = this.#holderStart(first + shard);
      this.#words[start + holderAt.sessionHi] = Math.floor(session / 2 ** 32);
      this.#words[start + holderAt.sessionLo] = session | 0;
      this.#words[start + holderAt.shard] = shard;
      Atomics.store(this.#words, start + holderAt.alive, 1);
    }
    this.#holderEnd = first + shards;
    Atomics.store(this.#words, headerAt.holderCount, this.#holderEnd);
    this.#sessions.set(session, { firstHolder: first, shards });
    return first;
  }

  #holderAtSlot(slot: number): number {
    return this.#words[this.#entryStart(this.#words[slot]! & entryMask) + entryAt.meta]! >>> 16;
  }

  #isAlive(holder: number): boolean {
    return this.#words[this.#holderStart(holder) + holderAt.alive] === 1;
  }

  #sessionOfHolder(holder: number): number {
    const start = this.#holderStart(holder);
    return this.#words[start + holderAt.sessionHi]! * 2 ** 32 + (this.#words[start + holderAt.sessionLo]! >>> 0);
  }

  #holderStart(holder: number): number {
    return this.#layout.holdersStart + holder * holderWords;
  }

  #entryStart(entry: number): number {
    return this.#layout.entriesStart + entry * entryWords;
  }
}
