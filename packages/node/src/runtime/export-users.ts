import type { BackupStore } from '@holdfast/engine';
import { compareBytes, type Unit } from '@holdfast/model';
import { decodeRow } from '@holdfast/processor';
import type { CompiledJob } from '@holdfast/sdk';

/**
 * Every user that the store has a state of, in the order of the key's bytes, as the job shows it. Keys are gathered
 * first (16 bytes and the key each), states are read one by one.
 */
export async function* exportUsers(store: BackupStore, job: CompiledJob): AsyncGenerator<unknown> {
  const users: { key: Uint8Array; unit: Unit }[] = [];
  for await (const { hi, lo, row } of store.scan()) {
    if (row === null) continue;
    for (const { key } of decodeRow(row).users) users.push({ key, unit: { hi, lo } });
  }
  users.sort((a, b) => compareBytes(a.key, b.key));
  for (const { key, unit } of users) {
    const stored = await store.read(unit);
    if (stored === null || stored.row === null) continue;
    const user = decodeRow(stored.row).users.find((other) => compareBytes(other.key, key) === 0);
    if (user !== undefined) yield job.view(job.decodeState(user.state), key);
  }
}
