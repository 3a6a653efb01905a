/**
 * A record block: records one after the other, little endian, as frames carry them.
 *   0 unitHi u32 · 4 unitLo u32 · 8 offset − baseOffset i32 · 12 time − baseTime i32 (INT32_MIN: unknown)
 *   16 keyLength u32 · 20 valueLength u32 (0xffffffff: no value) · 24 key bytes · value bytes · padding to 4
 */
const headerBytes = 24;
const noValue = 0xffffffff;
const noTime = -0x80000000;

/** Builds one block. Reused: `finish` copies out and starts anew. */
export class RecordBlockWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  count = 0;
  baseOffset = 0;
  baseTimeUnixMs = 0;

  constructor(capacityBytes = 64 * 1024) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
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
    if (this.count === 0) {
      this.baseOffset = offset;
      this.baseTimeUnixMs = Number.isNaN(timeUnixMs) ? 0 : timeUnixMs;
    }
    const keyLength = keyEnd - keyStart;
    const valueLength = valueStart < 0 ? 0 : valueEnd - valueStart;
    const size = (headerBytes + keyLength + valueLength + 3) & ~3;
    let at = this.#length;
    if (at + size > this.#bytes.length) this.#grow(at + size);
    const view = this.#view;
    view.setUint32(at, hi, true);
    view.setUint32(at + 4, lo, true);
    view.setInt32(at + 8, offset - this.baseOffset, true);
    const timeDelta = timeUnixMs - this.baseTimeUnixMs;
    view.setInt32(at + 12, timeDelta > noTime && timeDelta <= 0x7fffffff ? timeDelta : noTime, true);
    view.setUint32(at + 16, keyLength, true);
    view.setUint32(at + 20, valueStart < 0 ? noValue : valueLength, true);
    at += headerBytes;
    const bytes = this.#bytes;
    if (keyLength < 32) for (let i = 0; i < keyLength; i++) bytes[at + i] = keyBytes[keyStart + i]!;
    else bytes.set(keyBytes.subarray(keyStart, keyEnd), at);
    if (valueLength > 0) bytes.set(valueBytes.subarray(valueStart, valueEnd), at + keyLength);
    this.#length += size;
    this.count++;
  }

  /** A copy of the block; the writer is empty afterwards. */
  finish(): Uint8Array {
    const block = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.count = 0;
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
    const delta = view.getInt32(at + 8, true);
    if (delta < first) first = delta;
    else if (delta > last) last = delta;
    const valueLength = view.getUint32(at + 20, true);
    at += (headerBytes + view.getUint32(at + 16, true) + (valueLength === noValue ? 0 : valueLength) + 3) & ~3;
  }
  return { first: baseOffset + first, last: baseOffset + last };
}

/** Walks a block. `next()` fills the fields; no allocation per record. */
export class RecordBlockReader {
  bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #baseOffset = 0;
  #baseTimeUnixMs = 0;
  hi = 0;
  lo = 0;
  offset = 0;
  timeUnixMs = Number.NaN;
  keyStart = 0;
  keyEnd = 0;
  /** -1: no value. */
  valueStart = 0;
  valueEnd = 0;
  /** Where the current record begins and ends in `bytes`: to copy it whole. */
  recordStart = 0;
  recordEnd = 0;

  open(block: Uint8Array, baseOffset: number, baseTimeUnixMs: number): this {
    if (this.bytes !== block) {
      this.bytes = block;
      this.#view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    }
    this.#at = 0;
    this.#end = block.length;
    this.#baseOffset = baseOffset;
    this.#baseTimeUnixMs = baseTimeUnixMs;
    return this;
  }

  next(): boolean {
    const at = this.#at;
    if (at >= this.#end) return false;
    if (at + headerBytes > this.#end) throw new RecordBlockError(`record header cut at byte ${at}`);
    const view = this.#view;
    this.hi = view.getUint32(at, true);
    this.lo = view.getUint32(at + 4, true);
    this.offset = this.#baseOffset + view.getInt32(at + 8, true);
    const timeDelta = view.getInt32(at + 12, true);
    this.timeUnixMs = timeDelta === noTime ? Number.NaN : this.#baseTimeUnixMs + timeDelta;
    const keyLength = view.getUint32(at + 16, true);
    const valueLength = view.getUint32(at + 20, true);
    this.keyStart = at + headerBytes;
    this.keyEnd = this.keyStart + keyLength;
    this.valueStart = valueLength === noValue ? -1 : this.keyEnd;
    this.valueEnd = valueLength === noValue ? this.keyEnd : this.keyEnd + valueLength;
    const next = (this.valueEnd + 3) & ~3;
    if (next > this.#end) throw new RecordBlockError(`record at byte ${at} reaches past the block's end`);
    this.recordStart = at;
    this.recordEnd = next;
    this.#at = next;
    return true;
  }
}
