import { bucketOf } from '@holdfast/model';
import type { Job } from '../job.ts';
import type { PartitionBook } from '../partition-book.ts';
import type { HeldUnit, HeldUser } from './held-unit.ts';
import type { MarkerBook } from './marker-book.ts';
import { decodeRow, encodeRow, type VectorEntry } from './row-codec.ts';

/** The unit's row as it is now: every user's state, and the vector above the bucket's markers (PROTOCOL.md 5.1, 5.7). */
export function encodeUnit(unit: HeldUnit, job: Job, markers: MarkerBook, partitions: PartitionBook): Uint8Array {
  const bucket = bucketOf(unit.hi, unit.lo);
  const vector: VectorEntry[] = [];
  for (let i = 0; i < unit.slots.length; i++) {
    const slot = unit.slots[i]!;
    // Below the bucket's marker nothing needs an entry.
    if (unit.offsets[i]! < markers.floor(bucket, slot)) continue;
    vector.push({ partition: partitions.ids[slot]!, offset: unit.offsets[i]! });
  }
  const users = unit.users.map((user) => {
    user.bytes ??= job.encodeState(user.state);
    return { key: user.key, job: user.job, state: user.bytes };
  });
  return encodeRow({ vector, users });
}

/** Puts a stored row into a unit that has just been claimed. States are decoded when they are needed. */
export function loadRow(unit: HeldUnit, row: Uint8Array, partitions: PartitionBook): void {
  const { vector, users } = decodeRow(row);
  for (const { partition, offset } of vector) unit.setApplied(partitions.slot(partition), offset);
  for (const { key, job, state } of users) unit.users.push({ key, job, state: null, bytes: state, decoded: false });
}

/** Decodes the state of a loaded user at its first use. @throws whatever the job does: the state can't be read */
export function readState(user: HeldUser, job: Job): void {
  if (user.decoded) return;
  user.state = job.decodeState(user.bytes!);
  user.decoded = true;
}
