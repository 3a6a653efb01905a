import type { BackupStore } from '@holdfast/engine';
import { compareBytes, type Unit } from '@holdfast/model';
import { decodeRow } from '@holdfast/processor';
import type { CompiledJob } from '@holdfast/sdk';

/** Reads under way together: a store in the network answers them in the time of one. */
const readsAtOnce = 64;

/**
 * Every user that the store has a state of, in the order of the key's bytes, as the job shows it. Keys are gathered
 * first (16 bytes and the key each), states are read some at a time.
 */
export async function* exportUsers(store: BackupStore, job: CompiledJob): AsyncGenerator<unknown> {
  const users: { key: Uint8Array; unit: Unit }[] = [];
  for await (const { hi, lo, row } of store.scan()) {
    if (row === null) continue;
    for (const { key } of decodeRow(row).users) users.push({ key, unit: { hi, lo } });
  }
  users.sort((a, b) => compareBytes(a.key, b.key));
  for (let at = 0; at < users.length; at += readsAtOnce) {
    const some = users.slice(at, at + readsAtOnce);
    const rows = await Promise.all(some.map(({ unit }) => store.read(unit)));
    for (const [i, { key }] of some.entries()) {
      const row = rows[i]?.row ?? null;
      const user = row === null ? undefined : decodeRow(row).users.find((other) => compareBytes(other.key, key) === 0);
      if (user !== undefined) yield job.view(job.decodeState(user.state), key);
    }
  }
}
