import { assert } from '@holdfast/model';
import { BufferRebuild } from './buffer-rebuild.ts';
import { UnitBuffer, type UnitsView, type UnitVisitor } from './unit-buffer.ts';

/** Room in a new buffer: half as many entries again as are live, so a rebuild is paid for by as many grants. */
const growthFactor = 1.5;
/** A buffer with fewer than one live entry in so many is replaced by a smaller one. */
const shrinkBelowRatio = 1 / 8;
/** Below this many entries a buffer is replaced at once, when it is full: that takes a millisecond. */
const slicedFromEntries = 32_768;
/** A larger one is replaced in slices, begun when so little of it is left. */
const beginBelowRatio = 1 / 5;
/** Slots visited after each entry, so that a rebuild ends even when nothing is granted any more. */
const slotsPerEntry = 4_096;

/**
 * The writing half of the table's units and sessions' holders. It writes one buffer, and makes the next one beside it when
 * that one is nearly full or mostly dead: a little with each grant, so that nothing stands still however many units there
 * are. Knows nothing of records. One thread writes.
 */
export class UnitSlots {
  #buffer: UnitBuffer;
  #rebuild: BufferRebuild | null = null;
  /** Slots to visit per `put`, so that the rebuild is done when half of what was left is used up. */
  #slotsPerPut = 0;
  readonly #onBuffer: (buffer: SharedArrayBuffer) => void;
  readonly #slicedFromEntries: number;

  constructor(
    onBuffer: (buffer: SharedArrayBuffer) => void,
    unitsExpected = 0,
    holdersExpected = 0,
    sliced = slicedFromEntries,
  ) {
    this.#onBuffer = onBuffer;
    this.#slicedFromEntries = sliced;
    this.#buffer = new UnitBuffer(unitsExpected * growthFactor, holdersExpected * 2);
  }

  get buffer(): SharedArrayBuffer {
    return this.#buffer.words.buffer;
  }

  /** The header is written by the table. */
  get words(): Int32Array {
    return this.#buffer.words;
  }

  /** Units with a live lease. */
  get unitCount(): number {
    return this.#buffer.unitCount;
  }

  /** The next buffer is being made. */
  get isRebuilding(): boolean {
    return this.#rebuild !== null;
  }

  /** How many live leases a shard has. */
  load(session: number, shard: number): number {
    return this.#buffer.load(session, shard);
  }

  addSession(session: number, shards: number): void {
    if (shards > this.#buffer.holdersLeft) this.#rebuildNow(0, shards);
    const first = this.#buffer.addSession(session, shards);
    if (this.#rebuild === null) return;
    if (shards <= this.#rebuild.to.holdersLeft) this.#rebuild.addSession(session, first, shards);
    else this.#rebuild = null;
  }

  /** All leases of the session are over at once: one store per shard. Returns how many there were. */
  endSession(session: number): number {
    this.#rebuild?.endSession(session);
    return this.#buffer.endSession(session);
  }

  /** Makes room for so many `put`s; may go on to another buffer. */
  reserve(puts: number): void {
    const { entriesLeft, layout } = this.#buffer;
    const isLarge = layout.entryCapacity >= this.#slicedFromEntries;
    if (this.#rebuild === null && isLarge && entriesLeft < layout.entryCapacity * beginBelowRatio) {
      this.#begin(Math.max(entriesLeft, puts), 0);
    }
    if (this.#rebuild !== null) {
      // Made smaller than it has turned out to be needed: given up, and begun anew when the time has come.
      if (!this.#rebuild.hasRoom(puts)) this.#rebuild = null;
      else this.#advance(puts * this.#slotsPerPut);
    }
    if (this.#buffer.entriesLeft < puts) this.#rebuildNow(puts, 0);
  }

  /** After each entry. Gives memory back when most of the buffer is dead. */
  tend(): void {
    if (this.#rebuild !== null) {
      this.#advance(slotsPerEntry);
      return;
    }
    const { entryCapacity } = this.#buffer.layout;
    if (entryCapacity <= 1024 * 8 || this.unitCount >= entryCapacity * shrinkBelowRatio) return;
    if (entryCapacity < this.#slicedFromEntries) this.#rebuildNow(0, 0);
    else this.#begin(this.#slicedFromEntries / 8, 0);
  }

  /** Number of a live session's shard for `put`, valid until the next `reserve` or `addSession`; 0 when there is none. */
  holderOf(session: number, shard: number): number {
    const holders = this.#buffer.sessions.get(session);
    return holders === undefined || shard >= holders.shards ? 0 : holders.firstHolder + shard;
  }

  /** The slot of a unit's live lease, or -1. Valid until the next change. */
  find(hi: number, lo: number): number {
    return this.#buffer.find(hi, lo);
  }

  grantIndexAt(slot: number): number {
    return this.#buffer.grantIndexAt(slot);
  }

  /** Grants a unit: over nothing, a dead lease, or (a move) a live one. Needs room: `reserve` first. */
  put(hi: number, lo: number, holder: number, grantIndex: number): void {
    const slot = this.#buffer.put(hi, lo, holder, grantIndex);
    this.#rebuild?.put(slot, hi, lo, holder, grantIndex);
  }

  /** Ends the lease at a slot that `find` returned. */
  remove(slot: number): void {
    this.#rebuild?.remove(slot, this.#buffer.hiAt(slot), this.#buffer.loAt(slot));
    this.#buffer.remove(slot);
  }

  /** Every live lease, in no order that means anything. */
  visit(visitor: UnitVisitor): void {
    this.#buffer.visit(visitor);
  }

  /** The leases of this moment; they may change meanwhile. */
  view(): UnitsView {
    return this.#buffer.view();
  }

  /** Adds entries as of a snapshot, before anybody reads: see `UnitBuffer.append`. */
  append(entries: Int32Array, length: number): void {
    this.#buffer.append(entries, length);
  }

  /** The buffer won't be written any more; its readers are to attach another. */
  supersede(): void {
    this.#rebuild = null;
    this.#buffer.supersede();
  }

  #begin(puts: number, shards: number): void {
    const buffer = this.#buffer;
    let holders = shards;
    for (const session of buffer.sessions.values()) holders += session.shards;
    const units = buffer.unitCount + puts;
    this.#rebuild = new BufferRebuild(buffer, units * growthFactor, holders * 2);
    this.#slotsPerPut = Math.max(4, Math.ceil(buffer.layout.slotCount / Math.max(1, buffer.entriesLeft / 2)));
  }

  #advance(slots: number): void {
    if (!this.#rebuild!.advance(slots)) return;
    const old = this.#buffer;
    this.#buffer = this.#rebuild!.to;
    this.#rebuild = null;
    this.#buffer.takeState(old);
    old.supersede();
    this.#onBuffer(this.#buffer.words.buffer);
  }

  /** All at once: for small buffers, and where slices came too late. */
  #rebuildNow(puts: number, shards: number): void {
    const hasRoom = this.#rebuild?.hasRoom(puts) === true && this.#rebuild.to.holdersLeft >= shards;
    if (!hasRoom) this.#begin(puts, shards);
    this.#advance(Number.POSITIVE_INFINITY);
    assert(this.#buffer.entriesLeft >= puts, `${puts} leases more than the table can hold`);
  }
}
