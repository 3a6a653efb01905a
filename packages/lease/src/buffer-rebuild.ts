import { entryAt, entryMask, entryWords, slotEmpty, slotTombstone } from './table-layout.ts';
import { UnitBuffer } from './unit-buffer.ts';

/** Entries gathered before they are appended: a page of memory. */
const carryBatch = 256;

/**
 * The next buffer, made in slices while the present one is read and written: it takes over the live leases in the order of
 * the slots that name them. At each moment it holds exactly the leases at the slots already visited, so every change there is
 * made in both buffers, and a change further on in the old one only. Holders are numbered anew.
 *
 * Homes keep their order in a table of any size, so the new slots are filled from one end to the other, and so are
 * entries. What was carried over once is in that order already; a rebuild then reads memory mostly in sequence (half the
 * time, measured).
 */
export class BufferRebuild {
  readonly to: UnitBuffer;
  readonly #from: UnitBuffer;
  readonly #renumbered: Uint16Array;
  readonly #batch = new Int32Array(carryBatch * entryWords);
  /** Slots before this one are visited. */
  #slot: number;

  /** `entries` and `holders` that the new buffer shall have room for. */
  constructor(from: UnitBuffer, entries: number, holders: number) {
    this.#from = from;
    this.#slot = from.layout.slotsStart;
    this.to = new UnitBuffer(entries, holders);
    this.#renumbered = new Uint16Array(from.layout.holderCapacity);
    for (const [session, { firstHolder, shards }] of from.sessions) this.#renumber(session, firstHolder, shards);
  }

  /** Room for so many more leases here, beside those that are still to be carried over. */
  hasRoom(puts: number): boolean {
    return this.to.entriesLeft >= puts + this.#from.unitCount - this.to.unitCount;
  }

  /** Visits so many more slots. True when all are done: `to` then holds what `from` holds. */
  advance(slots: number): boolean {
    const { words, layout } = this.#from;
    const slotsEnd = layout.slotsStart + layout.slotCount;
    const end = Math.min(slotsEnd, this.#slot + slots);
    const batch = this.#batch;
    let filled = 0;
    for (let slot = this.#slot; slot < end; slot++) {
      const word = words[slot]!;
      if (word === slotEmpty || word === slotTombstone) continue;
      const at = layout.entriesStart + (word & entryMask) * entryWords;
      const meta = words[at + entryAt.meta]!;
      const holder = this.#renumbered[meta >>> 16]!;
      if (holder === 0) continue;
      batch[filled + entryAt.lo] = words[at + entryAt.lo]!;
      batch[filled + entryAt.hi] = words[at + entryAt.hi]!;
      batch[filled + entryAt.meta] = (holder << 16) | (meta & 0xffff);
      batch[filled + entryAt.indexLow] = words[at + entryAt.indexLow]!;
      filled += entryWords;
      if (filled < batch.length) continue;
      this.to.append(batch, filled);
      filled = 0;
    }
    this.to.append(batch, filled);
    this.#slot = end;
    return end === slotsEnd;
  }

  /** A lease was put at `slot` of the old buffer. */
  put(slot: number, hi: number, lo: number, holder: number, grantIndex: number): void {
    if (slot < this.#slot) this.to.put(hi, lo, this.#renumbered[holder]!, grantIndex);
  }

  /** The live lease at `slot` of the old buffer ended. */
  remove(slot: number, hi: number, lo: number): void {
    if (slot < this.#slot) this.to.remove(this.to.find(hi, lo));
  }

  /** The old buffer has a new session. Needs `to.holdersLeft`. */
  addSession(session: number, firstHolder: number, shards: number): void {
    this.#renumber(session, firstHolder, shards);
  }

  endSession(session: number): void {
    const { firstHolder, shards } = this.#from.sessions.get(session)!;
    this.#renumbered.fill(0, firstHolder, firstHolder + shards);
    this.to.endSession(session);
  }

  #renumber(session: number, firstHolder: number, shards: number): void {
    const first = this.to.addSession(session, shards);
    for (let i = 0; i < shards; i++) this.#renumbered[firstHolder + i] = first + i;
  }
}
