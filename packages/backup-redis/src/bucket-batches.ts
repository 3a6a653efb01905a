import type { Claim, Mark, RowWrite } from '@holdfast/engine';
import { assert, bucketCount, bucketOf, type Unit } from '@holdfast/model';
import { fieldOfPartition, unitBytes, writeUnit } from './bucket-keys.ts';
import { encodeBackup } from './stored-backup.ts';

/** One call of the store's function, and which requests of the port's call it carries, by their places. */
export interface BucketCall {
  readonly operation: string;
  readonly args: readonly (string | Buffer)[];
  readonly indexes: readonly number[];
}

export interface BucketWork {
  readonly bucket: number;
  /** One after the other, so that requests of one unit keep their order. */
  readonly calls: readonly BucketCall[];
}

/** Groups requests by their bucket, in calls of limited size. `bytesOf` gives what follows the unit's 8 bytes. */
export function batchByBucket<T extends Unit>(
  operation: string,
  requests: readonly T[],
  limits: { readonly rowsPerCallMax: number; readonly bytesPerCallMax: number },
  bytesOf: (request: T) => Uint8Array,
): BucketWork[] {
  const byBucket = new Map<number, { indexes: number[]; parts: Uint8Array[]; byteCount: number }[]>();
  requests.forEach((request, index) => {
    const bucket = bucketOf(request.hi, request.lo);
    const unit = Buffer.allocUnsafe(unitBytes);
    writeUnit(unit, 0, request);
    const part = bytesOf(request);
    const byteCount = unitBytes + part.length;
    let batches = byBucket.get(bucket);
    if (batches === undefined) byBucket.set(bucket, (batches = []));
    let batch = batches[batches.length - 1];
    if (
      batch === undefined ||
      batch.indexes.length >= limits.rowsPerCallMax ||
      batch.byteCount + byteCount > limits.bytesPerCallMax
    ) {
      batches.push((batch = { indexes: [], parts: [], byteCount: 0 }));
    }
    batch.indexes.push(index);
    batch.parts.push(unit, part);
    batch.byteCount += byteCount;
  });
  return [...byBucket].map(([bucket, batches]) => ({
    bucket,
    calls: batches.map(({ indexes, parts, byteCount }) => ({
      operation,
      indexes,
      args: [Buffer.concat(parts, byteCount)],
    })),
  }));
}

export function claimBytes({ epoch }: Claim): Uint8Array {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32LE(epoch % 0x1_0000_0000, 0);
  bytes.writeUInt32LE(Math.floor(epoch / 0x1_0000_0000), 4);
  return bytes;
}

/** The value's length, then the value. */
export function backupBytes(write: RowWrite): Uint8Array {
  const value = encodeBackup(write);
  const bytes = Buffer.allocUnsafe(4 + value.length);
  bytes.writeUInt32LE(value.length, 0);
  bytes.set(value, 4);
  return bytes;
}

export function batchMarks(marks: readonly Mark[], perCallMax: number): BucketWork[] {
  const byBucket = new Map<number, string[]>();
  for (const { bucket, partition, offset } of marks) {
    assert(Number.isInteger(bucket) && bucket >= 0 && bucket < bucketCount, `bucket ${bucket} of ${bucketCount}`);
    assert(Number.isSafeInteger(offset) && offset >= 0, `marker ${offset}`);
    let args = byBucket.get(bucket);
    if (args === undefined) byBucket.set(bucket, (args = []));
    args.push(fieldOfPartition(partition), String(offset));
  }
  return [...byBucket].map(([bucket, args]) => {
    const calls: BucketCall[] = [];
    for (let at = 0; at < args.length; at += 2 * perCallMax) {
      calls.push({ operation: 'mark', args: args.slice(at, at + 2 * perCallMax), indexes: [] });
    }
    return { bucket, calls };
  });
}
