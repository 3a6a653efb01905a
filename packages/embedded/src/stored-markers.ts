import { crc32 } from 'node:zlib';
import type { Marker } from '@holdfast/engine';
import { ByteReader, ByteWriter, partitionKey, topicId } from '@holdfast/model';
import { EmbeddedError } from './errors.ts';

/** All markers of a bucket are one value: a claim reads them at once. CRC-32 of the rest u32, count, then (topic id, partition, offset). */
export function encodeMarkers(markers: readonly Marker[]): Uint8Array {
  const writer = new ByteWriter(16 + markers.length * 48).u32(0).varint(markers.length);
  for (const m of markers) writer.text(m.partition.topicId).varint(m.partition.partition).varint(m.offset);
  const bytes = writer.finish();
  new DataView(bytes.buffer).setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** @throws EmbeddedError CORRUPT */
export function decodeMarkers(bytes: Uint8Array, bucket: number): Marker[] {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u32() !== crc32(bytes.subarray(4))) throw new Error('checksum');
    const markers: Marker[] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const partition = { topicId: topicId(reader.text()), partition: reader.varint() };
      markers.push({ partition, offset: reader.varint() });
    }
    return markers;
  } catch (cause) {
    throw new EmbeddedError('CORRUPT', `the stored markers of bucket ${bucket} are damaged`, { cause });
  }
}

/** Per partition the greater of both; null when `more` raises nothing. */
export function raiseMarkers(stored: readonly Marker[], more: readonly Marker[]): Marker[] | null {
  const byPartition = new Map(stored.map((m) => [partitionKey(m.partition), m]));
  let raised = false;
  for (const m of more) {
    const key = partitionKey(m.partition);
    const old = byPartition.get(key);
    if (old !== undefined && old.offset >= m.offset) continue;
    byPartition.set(key, m);
    raised = true;
  }
  return raised ? [...byPartition.values()] : null;
}
