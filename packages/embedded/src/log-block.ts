import { crc32 } from 'node:zlib';
import type { NewRecord } from '@holdfast/engine';
import { asBuffer } from './binary-keys.ts';
import { EmbeddedError } from './errors.ts';

/**
 * Records that were appended together, as one entry of the log. Offsets are relative: the entry's key has the first.
 * Little endian:
 *   0 format u8 · 1 flags u8 (1: headers) · 4 count u32 · 8 appendedUnixMs f64 · 16 CRC-32 of bytes 0..15 and 20.. u32
 *   20 key lengths i32 × count · value lengths i32 × count · (header lengths i32 × count) · per record key, value, headers
 * A length of -1 is null. The lengths are columns, so that reading walks two arrays and copies nothing.
 */
const formatVersion = 1;
const headersFlag = 1;
const prefixBytes = 20;

/** Bytes of keys and values after which a block is closed. Small enough to be written by other processes in between. */
export const blockBytesMax = 256 * 1024;

export interface EncodedBlock {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Splits the records into blocks of about `blockBytesMax` (a larger record is a block of its own), in order. */
export function encodeBlocks(records: readonly NewRecord[], appendedUnixMs: number): EncodedBlock[] {
  const blocks: EncodedBlock[] = [];
  let from = 0;
  while (from < records.length) {
    let bytes = 0;
    let to = from;
    while (to < records.length) {
      const record = records[to]!;
      bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0) + 8;
      if (to > from && bytes > blockBytesMax) break;
      to++;
    }
    blocks.push({ bytes: encodeBlock(records, from, to, appendedUnixMs), count: to - from });
    from = to;
  }
  return blocks;
}

function encodeBlock(records: readonly NewRecord[], from: number, to: number, appendedUnixMs: number): Buffer {
  const count = to - from;
  let headers: (Buffer | null)[] | null = null;
  let dataBytes = 0;
  for (let i = from; i < to; i++) {
    const record = records[i]!;
    dataBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (record.headers === undefined) continue;
    headers ??= new Array<Buffer | null>(count).fill(null);
    const encoded = (headers[i - from] = Buffer.from(JSON.stringify(record.headers), 'utf8'));
    dataBytes += encoded.length;
  }
  const columns = headers === null ? 2 : 3;
  const bytes = Buffer.allocUnsafeSlow(prefixBytes + columns * 4 * count + dataBytes);
  bytes.fill(0, 0, prefixBytes);
  bytes[0] = formatVersion;
  bytes[1] = headers === null ? 0 : headersFlag;
  bytes.writeUInt32LE(count, 4);
  bytes.writeDoubleLE(appendedUnixMs, 8);
  const lengths = new Int32Array(bytes.buffer, bytes.byteOffset + prefixBytes, columns * count);
  let at = prefixBytes + columns * 4 * count;
  for (let i = 0; i < count; i++) {
    const { key, value } = records[from + i]!;
    lengths[i] = key === null ? -1 : key.length;
    lengths[count + i] = value === null ? -1 : value.length;
    if (key !== null) bytes.set(key, at);
    at += key?.length ?? 0;
    if (value !== null) bytes.set(value, at);
    at += value?.length ?? 0;
    if (headers === null) continue;
    const header = headers[i]!;
    lengths[2 * count + i] = header === null ? -1 : header.length;
    if (header !== null) bytes.set(header, at);
    at += header?.length ?? 0;
  }
  bytes.writeUInt32LE(sumOf(bytes), 16);
  return bytes;
}

/** A block as read, with a cursor: `recordAt`/`dataAt` is the next record to give out. */
export class LogBlock {
  readonly bytes: Buffer;
  readonly count: number;
  readonly baseOffset: number;
  readonly appendedUnixMs: number;
  readonly #lengths: Int32Array;
  readonly #withHeaders: boolean;
  recordAt = 0;
  dataAt: number;

  /** @throws EmbeddedError CORRUPT */
  constructor(stored: Uint8Array, baseOffset: number) {
    // The lengths are read in place, as 32-bit words.
    this.bytes = stored.byteOffset % 4 === 0 ? asBuffer(stored) : Buffer.from(new Uint8Array(stored).buffer);
    const bytes = this.bytes;
    if (bytes.length < prefixBytes || bytes[0] !== formatVersion || sumOf(bytes) !== bytes.readUInt32LE(16)) {
      throw new EmbeddedError('CORRUPT', `the block at offset ${baseOffset} is damaged or of an unknown format`);
    }
    this.baseOffset = baseOffset;
    this.count = bytes.readUInt32LE(4);
    this.appendedUnixMs = bytes.readDoubleLE(8);
    this.#withHeaders = (bytes[1]! & headersFlag) !== 0;
    const columns = this.#withHeaders ? 3 : 2;
    this.#lengths = new Int32Array(bytes.buffer, bytes.byteOffset + prefixBytes, columns * this.count);
    this.dataAt = prefixBytes + columns * 4 * this.count;
  }

  keyLength(i: number): number {
    return this.#lengths[i]!;
  }

  valueLength(i: number): number {
    return this.#lengths[this.count + i]!;
  }

  headerLength(i: number): number {
    return this.#withHeaders ? this.#lengths[2 * this.count + i]! : -1;
  }

  /** Bytes that the record takes in the data part. */
  recordBytes(i: number): number {
    const key = this.#lengths[i]!;
    const value = this.#lengths[this.count + i]!;
    const header = this.#withHeaders ? this.#lengths[2 * this.count + i]! : 0;
    return Math.max(key, 0) + Math.max(value, 0) + Math.max(header, 0);
  }

  /** Moves the cursor to a record of the block. */
  skipTo(record: number): void {
    while (this.recordAt < record) this.dataAt += this.recordBytes(this.recordAt++);
  }
}

function sumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(prefixBytes), crc32(bytes.subarray(0, 16)));
}
