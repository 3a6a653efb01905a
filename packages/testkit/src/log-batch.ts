import type { NewRecord, TopicPosition } from '@holdfast/engine';
import type { RecordBatch } from '@holdfast/processor';

/** A record in memory. */
export interface StoredRecord extends NewRecord {
  readonly appendedUnixMs: number;
}

/** The records from an offset on, as the log gives them: as many as fit in `bytesMax`, and one at least. */
export function batchOf(records: readonly StoredRecord[], from: number, bytesMax: number): RecordBatch {
  const sizeOf = (r: StoredRecord) => (r.key?.length ?? 0) + (r.value?.length ?? 0);
  let to = from;
  let size = 0;
  while (to < records.length && (to === from || size + sizeOf(records[to]!) <= bytesMax))
    size += sizeOf(records[to++]!);
  const count = to - from;
  const batch = {
    count,
    bytes: new Uint8Array(size),
    offsets: new Float64Array(count),
    timestampsUnixMs: new Float64Array(count),
    keyStarts: new Int32Array(count).fill(-1),
    keyEnds: new Int32Array(count).fill(-1),
    valueStarts: new Int32Array(count).fill(-1),
    valueEnds: new Int32Array(count).fill(-1),
    nextOffset: to,
    headersOf: (row: number) => records[from + row]?.headers ?? {},
  };
  let at = 0;
  const put = (bytes: Uint8Array | null, starts: Int32Array, ends: Int32Array, row: number) => {
    if (bytes === null) return;
    batch.bytes.set(bytes, at);
    starts[row] = at;
    ends[row] = at += bytes.length;
  };
  for (let row = 0; row < count; row++) {
    const record = records[from + row]!;
    batch.offsets[row] = from + row;
    batch.timestampsUnixMs[row] = record.appendedUnixMs;
    put(record.key, batch.keyStarts, batch.keyEnds, row);
    put(record.value, batch.valueStarts, batch.valueEnds, row);
  }
  return batch;
}

/** Where reading begins at that position. */
export function offsetAt(records: readonly { readonly appendedUnixMs: number }[], position: TopicPosition): number {
  if (position === 'earliest') return 0;
  if (position === 'latest') return records.length;
  const at = records.findIndex(({ appendedUnixMs }) => appendedUnixMs >= position.timestampUnixMs);
  return at < 0 ? records.length : at;
}
