/**
 * A record block: records one after the other, little endian, as frames carry them.
 *   0 unitHi u32 · 4 unitLo u32 · 8 offset − baseOffset i32 · 12 keyLength u32
 *   16 valueLength u32 (0xffffffff: no value) · 20 time f64 (NaN: unknown) · 28 key bytes · value bytes · padding to 4
 * Times are whole, since those of neighbours may lie years apart: clocks are wrong, and logs are filled from archives.
 */
const headerBytes = 28;
const hiAt = 0;
const loAt = 4;
const offsetAt = 8;
const keyLengthAt = 12;
const valueLengthAt = 16;
const timeAt = 20;
const noValue = 0xffffffff;
/** What a writer keeps for its next block: one large record doesn't leave its size behind in each. */
const keptBytesMax = 512 * 1024;

/** Not by `& ~3`, which is of 32 bits: lengths come from outside. */
const padded = (length: number): number => length + (-length & 3);

/** Builds one block. Reused: `finish` copies out and starts anew. */
export class RecordBlockWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  count = 0;
  baseOffset = 0;
  readonly #capacityBytes: number;

  constructor(capacityBytes = 64 * 1024) {
    this.#capacityBytes = capacityBytes;
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What it keeps, whatever is in it. */
  get capacityBytes(): number {
    return this.#bytes.length;
  }

  /** Whether an offset can still be written relative to the block's base. */
  fits(offset: number): boolean {
    const delta = offset - this.baseOffset;
    return this.count === 0 || (delta <= 0x7fffffff && delta >= -0x80000000);
  }

  /** Appends a record. `valueStart` -1: no value. Time NaN: unknown. */
  append(
    hi: number,
    lo: number,
    offset: number,
    timeUnixMs: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.count === 0) this.baseOffset = offset;
    const keyLength = keyEnd - keyStart;
    const valueLength = valueStart < 0 ? 0 : valueEnd - valueStart;
    const size = padded(headerBytes + keyLength + valueLength);
    let at = this.#length;
    if (at + size > this.#bytes.length) this.#grow(at + size);
    const view = this.#view;
    view.setUint32(at + hiAt, hi, true);
    view.setUint32(at + loAt, lo, true);
    view.setInt32(at + offsetAt, offset - this.baseOffset, true);
    view.setUint32(at + keyLengthAt, keyLength, true);
    view.setUint32(at + valueLengthAt, valueStart < 0 ? noValue : valueLength, true);
    view.setFloat64(at + timeAt, timeUnixMs, true);
    at += headerBytes;
    const bytes = this.#bytes;
    if (keyLength < 32) for (let i = 0; i < keyLength; i++) bytes[at + i] = keyBytes[keyStart + i]!;
    else bytes.set(keyBytes.subarray(keyStart, keyEnd), at);
    if (valueLength > 0) bytes.set(valueBytes.subarray(valueStart, valueEnd), at + keyLength);
    this.#length += size;
    this.count++;
  }

  /** The block, which is the caller's; the writer is empty afterwards. */
  finish(): Uint8Array {
    const block = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.count = 0;
    if (this.#bytes.length > keptBytesMax) {
      this.#bytes = new Uint8Array(this.#capacityBytes);
      this.#view = new DataView(this.#bytes.buffer);
    }
    return block;
  }

  #grow(wanted: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, wanted));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** The block can't be what a `RecordBlockWriter` wrote. */
export class RecordBlockError extends Error {
  override readonly name = 'RecordBlockError';
}

/** The least and the greatest offset in a block: parked records stand behind later ones of other units. */
export function offsetSpan(block: Uint8Array, baseOffset: number): { readonly first: number; readonly last: number } {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let first = 0;
  let last = 0;
  for (let at = 0; at + headerBytes <= block.length; ) {
    const delta = view.getInt32(at + offsetAt, true);
    if (delta < first) first = delta;
    else if (delta > last) last = delta;
    at = endOf(view, at);
  }
  return { first: baseOffset + first, last: baseOffset + last };
}

/**
 * A block that came from outside, before anything of it is applied.
 * @throws RecordBlockError it isn't `count` whole records with offsets from 0 on
 */
export function checkBlock(block: Uint8Array, baseOffset: number, count: number): void {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let records = 0;
  for (let at = 0; at < block.length; records++) {
    if (at + headerBytes > block.length) throw new RecordBlockError(`record header cut at byte ${at}`);
    const offset = baseOffset + view.getInt32(at + offsetAt, true);
    if (offset < 0) throw new RecordBlockError(`offset ${offset} at byte ${at}`);
    const end = endOf(view, at);
    if (end > block.length) throw new RecordBlockError(`record at byte ${at} reaches past the block's end`);
    at = end;
  }
  if (records !== count) throw new RecordBlockError(`${records} records in a block of ${count}`);
}

/** Where the record at this byte ends, which may be past the block. */
function endOf(view: DataView, at: number): number {
  const valueLength = view.getUint32(at + valueLengthAt, true);
  const keyLength = view.getUint32(at + keyLengthAt, true);
  return at + padded(headerBytes + keyLength + (valueLength === noValue ? 0 : valueLength));
}

/** Walks a block. `next()` fills the fields; no allocation per record. */
export class RecordBlockReader {
  bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #baseOffset = 0;
  hi = 0;
  lo = 0;
  offset = 0;
  timeUnixMs = Number.NaN;
  keyStart = 0;
  keyEnd = 0;
  /** -1: no value. */
  valueStart = 0;
  valueEnd = 0;

  open(block: Uint8Array, baseOffset: number): this {
    if (this.bytes !== block) {
      this.bytes = block;
      this.#view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    }
    this.#at = 0;
    this.#end = block.length;
    this.#baseOffset = baseOffset;
    return this;
  }

  next(): boolean {
    const at = this.#at;
    if (at >= this.#end) return false;
    if (at + headerBytes > this.#end) throw new RecordBlockError(`record header cut at byte ${at}`);
    const view = this.#view;
    this.hi = view.getUint32(at + hiAt, true);
    this.lo = view.getUint32(at + loAt, true);
    this.offset = this.#baseOffset + view.getInt32(at + offsetAt, true);
    this.timeUnixMs = view.getFloat64(at + timeAt, true);
    const keyLength = view.getUint32(at + keyLengthAt, true);
    const valueLength = view.getUint32(at + valueLengthAt, true);
    this.keyStart = at + headerBytes;
    this.keyEnd = this.keyStart + keyLength;
    this.valueStart = valueLength === noValue ? -1 : this.keyEnd;
    this.valueEnd = valueLength === noValue ? this.keyEnd : this.keyEnd + valueLength;
    const next = at + padded(this.valueEnd - at);
    if (next > this.#end) throw new RecordBlockError(`record at byte ${at} reaches past the block's end`);
    this.#at = next;
    return true;
  }
}
