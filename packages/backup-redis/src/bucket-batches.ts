import type { Claim, Mark, RowWrite } from '@holdfast/engine';
import { assert, bucketCount } from '@holdfast/model';
import { fieldOfPartition, unitBytes, writeUnit } from './bucket-keys.ts';
import { encodeBackup } from './stored-backup.ts';

/** What goes to one bucket in a call, and which requests of the port's call that are, by their places. */
export interface BucketPart {
  readonly bucket: number;
  readonly request: Buffer;
  readonly indexes: readonly number[];
}

/** Calls of the store's function one after the other, so that requests of one unit keep their order; each of some buckets. */
export type CallSequence = readonly (readonly BucketPart[])[];

export interface CallLimits {
  readonly rowsPerCallMax: number;
  readonly bytesPerCallMax: number;
  /** 1 in a Cluster, where a call knows one slot. */
  readonly bucketsPerCallMax: number;
}

/** Groups requests by their bucket, in calls of limited size. `bytesOf` gives the bytes of one. */
export function batchByBucket<T>(
  requests: readonly T[],
  limits: CallLimits,
  bucketOfRequest: (request: T) => number,
  bytesOf: (request: T) => Buffer,
): CallSequence[] {
  const byBucket = new Map<number, { indexes: number[]; bytes: Buffer[]; byteCount: number }[]>();
  requests.forEach((request, index) => {
    const bucket = bucketOfRequest(request);
    const bytes = bytesOf(request);
    let batches = byBucket.get(bucket);
    if (batches === undefined) byBucket.set(bucket, (batches = []));
    let batch = batches[batches.length - 1];
    const isFull =
      batch === undefined ||
      batch.indexes.length >= limits.rowsPerCallMax ||
      batch.byteCount + bytes.length > limits.bytesPerCallMax;
    if (isFull) batches.push((batch = { indexes: [], bytes: [], byteCount: 0 }));
    batch!.indexes.push(index);
    batch!.bytes.push(bytes);
    batch!.byteCount += bytes.length;
  });
  const sequences: CallSequence[] = [];
  let open: BucketPart[] = [];
  let [rows, byteCount] = [0, 0];
  for (const [bucket, batches] of byBucket) {
    const parts = batches.map(({ indexes, bytes, byteCount: count }): BucketPart => {
      return { bucket, indexes, request: Buffer.concat(bytes, count) };
    });
    const [only] = parts;
    if (parts.length > 1) {
      sequences.push(parts.map((part) => [part]));
      continue;
    }
    const isFull =
      open.length >= limits.bucketsPerCallMax ||
      rows + only!.indexes.length > limits.rowsPerCallMax ||
      byteCount + only!.request.length > limits.bytesPerCallMax;
    if (isFull && open.length > 0) {
      sequences.push([open]);
      [open, rows, byteCount] = [[], 0, 0];
    }
    open.push(only!);
    rows += only!.indexes.length;
    byteCount += only!.request.length;
  }
  if (open.length > 0) sequences.push([open]);
  return sequences;
}

/** Unit and epoch. */
export function claimBytes(claim: Claim): Buffer {
  const bytes = Buffer.allocUnsafe(unitBytes + 8);
  writeUnit(bytes, 0, claim);
  bytes.writeUInt32LE(claim.epoch % 0x1_0000_0000, unitBytes);
  bytes.writeUInt32LE(Math.floor(claim.epoch / 0x1_0000_0000), unitBytes + 4);
  return bytes;
}

/** Unit, the value's length, the value. */
export function backupBytes(write: RowWrite): Buffer {
  const value = encodeBackup(write);
  const bytes = Buffer.allocUnsafe(unitBytes + 4 + value.length);
  writeUnit(bytes, 0, write);
  bytes.writeUInt32LE(value.length, unitBytes);
  bytes.set(value, unitBytes + 4);
  return bytes;
}

/** Partition and offset, each after its length. */
export function markBytes({ bucket, partition, offset }: Mark): Buffer {
  assert(Number.isInteger(bucket) && bucket >= 0 && bucket < bucketCount, `bucket ${bucket} of ${bucketCount}`);
  assert(Number.isSafeInteger(offset) && offset >= 0, `marker ${offset}`);
  return Buffer.concat(
    [fieldOfPartition(partition), String(offset)].flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(bytes.length, 0);
      return [length, bytes];
    }),
  );
}
