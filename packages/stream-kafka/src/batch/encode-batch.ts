import type { NewRecord } from '@holdfast/engine';
import { checksum } from '../codec/checksum.ts';
import { compress, compressionNumber } from '../codec/codecs.ts';
import type { Compression } from '../options.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { attributeBits, batchHeader } from './batch-header.ts';

export interface BatchStamp {
  readonly timeUnixMs: number;
  readonly compression: Compression;
  /** -1: a producer without identity, whose repeats the broker can't tell. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Number of the first record in this producer's writing to the partition. */
  readonly baseSequence: number;
  readonly transactional: boolean;
}

/** One record batch of at least one record, for Produce. The broker gives the offsets. */
export function encodeBatch(records: readonly NewRecord[], stamp: BatchStamp): Buffer {
  const { compression, timeUnixMs, producerId, producerEpoch, baseSequence, transactional } = stamp;
  const body = new WireWriter(records.length * 64);
  for (let i = 0; i < records.length; i++) writeRecord(body, records[i]!, i);
  const packed = compress(compression, body.finish());
  const attributes = compressionNumber(compression) | (transactional ? attributeBits.transactional : 0);
  const writer = new WireWriter(batchHeader.bytes + packed.length);
  writer.int64(0).int32(batchHeader.bytes - batchHeader.lengthOverhead + packed.length);
  writer.int32(-1).int8(2).uint32(0).int16(attributes);
  writer
    .int32(records.length - 1)
    .int64(timeUnixMs)
    .int64(timeUnixMs);
  writer.int64(producerId).int16(producerEpoch).int32(baseSequence).int32(records.length);
  const bytes = writer.raw(packed).finish();
  writer.patchUint32(batchHeader.crcAt, checksum(bytes.subarray(batchHeader.attributesAt)));
  return bytes;
}

/** What a record takes in a batch, at most: for limits. */
export function recordBytesMaxOf({ key, value, headers }: NewRecord): number {
  let bytes = 32 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of Object.entries(headers ?? {})) bytes += 10 + 3 * (name.length + text.length);
  return bytes;
}

function writeRecord(writer: WireWriter, { key, value, headers }: NewRecord, offsetDelta: number): void {
  const entries = Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
  let length = 2 + varintBytes(offsetDelta) + nullableBytes(key) + nullableBytes(value) + varintBytes(entries.length);
  for (const [name, text] of entries) length += nullableBytes(name) + nullableBytes(text);
  writer.varint(length).int8(0).varint(0).varint(offsetDelta);
  for (const part of [key, value]) {
    if (part === null) writer.varint(-1);
    else writer.varint(part.length).raw(part);
  }
  writer.varint(entries.length);
  for (const [name, text] of entries) writer.varint(name.length).raw(name).varint(text.length).raw(text);
}

function nullableBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length;
}

/** Of a number from 0 on, as a zigzag varint. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value * 2; left >= 0x80; left = Math.floor(left / 0x80)) bytes++;
  return bytes;
}
