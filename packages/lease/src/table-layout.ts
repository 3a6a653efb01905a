import { assert } from '@holdfast/model';

/**
 * How the lease table lies in its SharedArrayBuffer, in 32-bit words:
 *
 *     header | holders (4 words each) | slots (1 word each) | entries (4 words each)
 *
 * - A **holder** is a shard of one session: session id (2 words), shard, alive. Its number is never used
 *   again in the same buffer, so what names it stays true; ending a session is one store per shard.
 * - An **entry** is one lease: unit, holder, Raft index of the grant. Once published it never changes.
 * - A **slot** is one word of the open-addressing index: the number of an entry, and 8 bits of the unit's
 *   hash so that a probe rarely looks at an entry in vain.
 *
 * Every change of a lease is therefore ONE atomic store into a slot, after the entry was written: a reader
 * sees the lease before or after, never half of it, and needs no lock and no second try. Entries that no slot
 * names any more are dropped when a buffer is full and the writer builds the next one.
 */
export const layoutMagic = 0x484c_5401;

/** Header words. Those of `at...` + Pair take three words, see `storePair`. */
export const headerAt = {
  magic: 0,
  flags: 1,
  slotCount: 2,
  entryCapacity: 3,
  holderCapacity: 4,
  holderCount: 5,
  generation: 6,
  uncleanCount: 7,
  forcedCount: 8,
  tableIndexPair: 9,
  uncleanIndexPair: 12,
  generationIndexPair: 15,
  epochBasePair: 18,
  quarantineIndexPair: 21,
} as const;

/** From here on header words are the table's state, which the next buffer takes over. */
export const headerStateAt = headerAt.generation;
export const headerWords = 32;

/** Bit of `flags`: the writer has gone on to another buffer; this one stays as it is. */
export const flagSuperseded = 1;

export const holderWords = 4;
export const holderAt = { sessionHi: 0, sessionLo: 1, shard: 2, alive: 3 } as const;

export const entryWords = 4;
/** `meta` is holder << 16 | bits 32..47 of the grant's index. */
export const entryAt = { lo: 0, hi: 1, meta: 2, indexLow: 3 } as const;

/** A slot never used: probing ends here. */
export const slotEmpty = 0;
/** A slot whose lease was released: probing goes on. */
export const slotTombstone = 1;
/** Number of the first entry; 0 and 1 are the two special slots. */
export const entryFirst = 2;
export const entryMask = 0x00ff_ffff;
export const tagMask = ~entryMask;

/** Entry numbers have 24 bits. */
export const entryCapacityMax = 1 << 24;
/** Holder numbers have 16 bits; 0 is nobody. */
export const holderCapacityMax = 1 << 16;
/** Grant indexes have 48 bits: nine years of a million entries a second. */
export const grantIndexMax = 2 ** 48 - 1;

export interface TableLayout {
  readonly slotCount: number;
  readonly entryCapacity: number;
  readonly holderCapacity: number;
  readonly holdersStart: number;
  readonly slotsStart: number;
  readonly entriesStart: number;
  readonly wordCount: number;
}

/** Slots per entry: a full buffer has two of three slots in use, which keeps probes short. */
const slotsPerEntry = 1.5;

export function layoutFor(entryCapacity: number, holderCapacity: number): TableLayout {
  assert(entryCapacity > entryFirst && entryCapacity <= entryCapacityMax, `${entryCapacity} lease entries`);
  assert(holderCapacity > 1 && holderCapacity <= holderCapacityMax, `${holderCapacity} lease holders`);
  return placeRegions(Math.ceil(entryCapacity * slotsPerEntry), entryCapacity, holderCapacity);
}

/** The layout that a buffer's header tells; throws on a buffer that is no lease table. */
export function layoutOf(words: Int32Array): TableLayout {
  assert(words[headerAt.magic] === layoutMagic, 'the buffer is no lease table');
  return placeRegions(words[headerAt.slotCount]!, words[headerAt.entryCapacity]!, words[headerAt.holderCapacity]!);
}

function placeRegions(slotCount: number, entryCapacity: number, holderCapacity: number): TableLayout {
  const holdersStart = headerWords;
  const slotsStart = holdersStart + holderCapacity * holderWords;
  // Entries begin at a multiple of 16 bytes, so that none lies across two cache lines.
  const entriesStart = Math.ceil((slotsStart + slotCount) / entryWords) * entryWords;
  const wordCount = entriesStart + entryCapacity * entryWords;
  return { slotCount, entryCapacity, holderCapacity, holdersStart, slotsStart, entriesStart, wordCount };
}

/** A new buffer with its header's fixed part written. */
export function createTableWords(layout: TableLayout): Int32Array<SharedArrayBuffer> {
  const words = new Int32Array(new SharedArrayBuffer(layout.wordCount * 4));
  words[headerAt.slotCount] = layout.slotCount;
  words[headerAt.entryCapacity] = layout.entryCapacity;
  words[headerAt.holderCapacity] = layout.holderCapacity;
  words[headerAt.holderCount] = 1;
  words[headerAt.magic] = layoutMagic;
  return words;
}

/** What a unit's high half is multiplied by to give its home slot: order-preserving, for any number of slots. */
export function slotScale(slotCount: number): number {
  return slotCount / 2 ** 32;
}

/**
 * A 53-bit number that one thread raises and others read without a lock: high, low, high again. The writer
 * stores them from left to right, the reader loads from right to left and takes the value only if both high
 * words agree: then the low word between them belongs to that high word.
 */
export function storePair(words: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  Atomics.store(words, at, high);
  Atomics.store(words, at + 1, value | 0);
  Atomics.store(words, at + 2, high);
}

export function loadPair(words: Int32Array, at: number): number {
  for (;;) {
    const high = Atomics.load(words, at + 2);
    const low = Atomics.load(words, at + 1);
    if (Atomics.load(words, at) === high) return high * 2 ** 32 + (low >>> 0);
  }
}
