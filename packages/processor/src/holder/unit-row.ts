import { bucketOf } from '@holdfast/model';
import type { Job } from '../job.ts';
import type { PartitionBook } from '../partition-book.ts';
import type { HeldUnit, HeldUser } from './held-unit.ts';
import type { MarkerBook } from './marker-book.ts';
import { decodeRow, encodeRow, type VectorEntry } from './row-codec.ts';

/** The unit's row as it is now: every user's state, and the vector above the bucket's markers (PROTOCOL.md 5.1, 5.7). */
export function encodeUnit(unit: HeldUnit, job: Job, markers: MarkerBook, partitions: PartitionBook): Uint8Array {
  const bucket = bucketOf(unit.hi, unit.lo);
  unit.prune((slot) => Math.max(markers.floor(bucket, slot), unit.floors?.[slot] ?? 0));
  const vector: VectorEntry[] = unit.slots.map((slot, i) => {
    return { partition: partitions.ids[slot]!, offset: unit.offsets[i]! };
  });
  const users = unit.users.map((user) => {
    user.bytes ??= job.encodeState(user.state);
    return { key: user.key, job: user.job, state: user.bytes };
  });
  return encodeRow({ vector, users });
}

/** The store has users of another job: this one would begin them anew, and lack all that was read for that one. */
export class OtherJobError extends Error {
  override readonly name = 'OtherJobError';

  constructor(other: string, own: string) {
    super(
      `the store has users of a job named '${other}', and this one is named '${own}': a job keeps its name; give another one a store, or a key prefix, of its own`,
    );
  }
}

/**
 * Puts a stored row into a unit that has just been claimed. States are decoded when they are needed.
 * @throws ByteFormatError, OtherJobError
 */
export function loadRow(unit: HeldUnit, row: Uint8Array, { name }: Pick<Job, 'name'>, partitions: PartitionBook): void {
  const { vector, users } = decodeRow(row);
  const other = users.find(({ job }) => job !== name);
  if (other !== undefined) throw new OtherJobError(other.job, name);
  for (const { partition, offset } of vector) unit.setApplied(partitions.slot(partition), offset);
  for (const { key, job, state } of users) unit.users.push({ key, job, state: null, bytes: state, decoded: false });
}

/** Decodes the state of a loaded user at its first use. @throws whatever the job does: the state can't be read */
export function readState(user: HeldUser, job: Job): void {
  if (user.decoded) return;
  user.state = job.decodeState(user.bytes!);
  user.decoded = true;
}
