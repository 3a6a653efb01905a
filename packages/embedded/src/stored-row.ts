import { crc32 } from 'node:zlib';
import { bucketOf, formatUnit, type Unit } from '@holdfast/model';
import { EmbeddedError } from './errors.ts';

/**
 * A row as stored, little endian:
 *   0 epoch f64 · 8 seq f64 · 16 savedUnixMs f64 · 24 CRC-32 of the row u32 · 28 has a row u32 · 32 CRC-32 of bytes 0..31 u32 · 36 row
 * The header has a sum of its own, so that a compare needn't read the row.
 */
const headerBytes = 36;

export interface RowHeader {
  readonly epoch: number;
  readonly seq: number;
  readonly savedUnixMs: number;
  readonly hasRow: boolean;
  readonly rowCrc: number;
}

/** Bucket, then unit: rows of a bucket lie together. */
export function rowKey(unit: Unit): Buffer {
  const key = Buffer.allocUnsafe(10);
  key.writeUInt16BE(bucketOf(unit.hi, unit.lo), 0);
  key.writeUInt32BE(unit.hi, 2);
  key.writeUInt32BE(unit.lo, 6);
  return key;
}

export function unitOfRowKey(key: Buffer): Unit {
  return { hi: key.readUInt32BE(2), lo: key.readUInt32BE(6) };
}

/** `row` null: claimed, never backed up. */
export function encodeRow(epoch: number, seq: number, savedUnixMs: number, row: Uint8Array | null): Buffer {
  const value = Buffer.allocUnsafe(headerBytes + (row?.length ?? 0));
  writeHeader(value, { epoch, seq, savedUnixMs, hasRow: row !== null, rowCrc: row === null ? 0 : crc32(row) });
  if (row !== null) value.set(row, headerBytes);
  return value;
}

/** The same row under another epoch and seq 0. */
export function raiseRow(stored: Buffer, header: RowHeader, epoch: number): Buffer {
  // `stored` may be LMDB's shared read buffer, whose `length` is smaller than its memory.
  const value = Buffer.from(stored.subarray(0, stored.length));
  writeHeader(value, { ...header, epoch, seq: 0 });
  return value;
}

/** @throws EmbeddedError CORRUPT */
export function readHeader(stored: Buffer, unit: Unit): RowHeader {
  const header = tryHeader(stored);
  if (header === null) throw new EmbeddedError('CORRUPT', problemOf(unit));
  return header;
}

/** Null when it can't be read. */
export function tryHeader(stored: Buffer): RowHeader | null {
  if (stored.length < headerBytes || crc32(stored.subarray(0, 32)) !== stored.readUInt32LE(32)) return null;
  return {
    epoch: stored.readDoubleLE(0),
    seq: stored.readDoubleLE(8),
    savedUnixMs: stored.readDoubleLE(16),
    hasRow: stored.readUInt32LE(28) === 1,
    rowCrc: stored.readUInt32LE(24),
  };
}

/**
 * The row's own bytes (a view), checked; null when it has none.
 * @throws EmbeddedError CORRUPT
 */
export function readRow(stored: Buffer, header: RowHeader, unit: Unit): Uint8Array | null {
  if (!isSound(stored, header)) throw new EmbeddedError('CORRUPT', problemOf(unit));
  return header.hasRow ? rowOf(stored) : null;
}

/** Whether `readRow` can read it. */
export function isSound(stored: Buffer, header: RowHeader): boolean {
  return !header.hasRow || crc32(rowOf(stored)) === header.rowCrc;
}

function rowOf(stored: Buffer): Uint8Array {
  return new Uint8Array(stored.buffer, stored.byteOffset + headerBytes, stored.length - headerBytes);
}

function writeHeader(value: Buffer, header: RowHeader): void {
  value.writeDoubleLE(header.epoch, 0);
  value.writeDoubleLE(header.seq, 8);
  value.writeDoubleLE(header.savedUnixMs, 16);
  value.writeUInt32LE(header.rowCrc, 24);
  value.writeUInt32LE(header.hasRow ? 1 : 0, 28);
  value.writeUInt32LE(crc32(value.subarray(0, 32)), 32);
}

/** Of a row that can't be read. */
export function problemOf(unit: Unit): string {
  return `the stored row of unit ${formatUnit(unit.hi, unit.lo)} fails its checksum`;
}
