import { bucketCount, type PartitionId, topicId, type Unit } from '@holdfast/model';
import { RedisStoreError } from './errors.ts';

export interface BucketKeys {
  /** A hash: the bucket's life, and a field per unit. */
  readonly rows: string;
  /** A hash: an offset per partition. */
  readonly markers: string;
}

/** The keys of each bucket. Both of a bucket are in one slot of a cluster, by the tag in braces. */
export function keysOfBuckets(prefix: string): readonly BucketKeys[] {
  return Array.from({ length: bucketCount }, (_, bucket) => ({
    rows: `${prefix}{b${bucket}}:rows`,
    markers: `${prefix}{b${bucket}}:markers`,
  }));
}

export const unitBytes = 8;

export function writeUnit(target: Buffer, at: number, unit: Unit): number {
  target.writeUInt32BE(unit.hi, at);
  return target.writeUInt32BE(unit.lo, at + 4);
}

/** Null for a field that is no unit. */
export function unitOfField(field: Buffer): Unit | null {
  return field.length === unitBytes ? { hi: field.readUInt32BE(0), lo: field.readUInt32BE(4) } : null;
}

/** The number first: a topic's id may contain anything. */
export function fieldOfPartition({ topicId, partition }: PartitionId): string {
  return `${partition}/${topicId}`;
}

/** @throws RedisStoreError CORRUPT */
export function partitionOfField(field: string): PartitionId {
  const match = /^(\d+)\/(.*)$/s.exec(field);
  if (match === null) throw new RedisStoreError('CORRUPT', `a marker is stored under ${JSON.stringify(field)}`);
  return { partition: Number(match[1]), topicId: topicId(match[2]!) };
}
