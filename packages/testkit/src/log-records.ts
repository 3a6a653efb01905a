import assert from 'node:assert/strict';
import type { LogReader, NewRecord, TopicInfo } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';

/** A record as read back. */
interface ReadRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestampUnixMs: number;
}

/** Of a batch, where it doesn't matter. */
export const bytesMax = 1 << 20;
/** For a record that is there. */
export const waitMs = 5_000;
// Every byte as it is: a byte-order mark too.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Records with the texts as values. */
export function textRecords(texts: readonly string[]): NewRecord[] {
  return texts.map((text) => ({ key: null, value: new TextEncoder().encode(text) }));
}

export function partitionOf(topic: TopicInfo, partition: number): PartitionId {
  return { topicId: topic.topicId, partition };
}

/** A batch's records, checked for the shape that the port promises. */
export function recordsOf(batch: RecordBatch): ReadRecord[] {
  const text = (start: number, end: number) => (start < 0 ? null : utf8.decode(batch.bytes.subarray(start, end)));
  const records: ReadRecord[] = [];
  // Without records it says what was passed over; that a batch moves on is checked by who reads several.
  for (let i = 0; i < batch.count; i++) {
    const offset = batch.offsets[i]!;
    assert.ok(i === 0 || offset > batch.offsets[i - 1]!, 'offsets rise');
    assert.ok(offset < batch.nextOffset, 'nextOffset is beyond all records');
    records.push({
      offset,
      key: text(batch.keyStarts[i]!, batch.keyEnds[i]!),
      value: text(batch.valueStarts[i]!, batch.valueEnds[i]!),
      headers: batch.headersOf?.(i) ?? {},
      timestampUnixMs: batch.timestampsUnixMs[i]!,
    });
  }
  return records;
}

/** Reads until `count` records have come. */
export async function readRecords(reader: LogReader, count: number, batchBytesMax = bytesMax): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  let position = -1;
  while (records.length < count) {
    const batch = await reader.next(batchBytesMax, waitMs);
    assert.ok(batch !== null, `only ${records.length} of ${count} records came`);
    assert.ok(batch.nextOffset > position, 'a batch moves on');
    position = batch.nextOffset;
    records.push(...recordsOf(batch));
  }
  assert.equal(records.length, count);
  return records;
}
