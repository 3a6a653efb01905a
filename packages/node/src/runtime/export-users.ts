import { setImmediate } from 'node:timers/promises';
import type { BackupStore } from '@holdfast/engine';
import { compareBytes } from '@holdfast/model';
import { decodeRow } from '@holdfast/processor';
import type { CompiledJob } from '@holdfast/sdk';
import { shownState } from '../job/shown-state.ts';
import { PackedUsers } from './packed-users.ts';
import { SortedRuns } from './sorted-runs.ts';
import { showKey } from './user-lookup.ts';

/** Reads under way together: a store in the network answers them in the time of one. */
const readsAtOnce = 64;
const rowsPerTurn = 1_000;
/** Of users whose state can't be shown, so many are named. */
const namedMax = 3;

/**
 * Every user that the store has a state of, in the order of the key's bytes, as the job shows it. Keys are gathered
 * first (some 20 bytes and the key each), states are read some at a time.
 * @throws Error after all others, when the state of a user can't be shown: who, and why; or when the store was lost meanwhile,
 * and users are missing that it had
 */
export async function* exportUsers(store: BackupStore, job: CompiledJob): AsyncGenerator<unknown> {
  const generationId = await store.generationId();
  const users = new PackedUsers();
  const places = new SortedRuns<number>(users.compare);
  let scanned = 0;
  let foundCount = 0;
  for await (const { hi, lo, row } of store.scan()) {
    // A store in this process answers at once: others have their turn all the same.
    if (++scanned % rowsPerTurn === 0) await setImmediate();
    if (row === null) continue;
    for (const { key } of decodeRow(row).users) {
      places.add(users.add(key, { hi, lo }));
      foundCount++;
    }
  }
  const unshown: string[] = [];
  let unshownCount = 0;
  // States are never removed, so a user without one was lost with the store that had it.
  let lostCount = 0;
  const inOrder = places.inOrder();
  for (;;) {
    const some = takeSome(inOrder, readsAtOnce);
    if (some.length === 0) break;
    const rows = await Promise.all(some.map((place) => store.read(users.unit(place))));
    await setImmediate();
    for (const [i, place] of some.entries()) {
      const key = users.key(place);
      const row = rows[i]?.row ?? null;
      const user = row === null ? undefined : decodeRow(row).users.find((other) => compareBytes(other.key, key) === 0);
      if (user === undefined) {
        lostCount++;
        continue;
      }
      const { view, error } = shownState(job, user.state, key);
      if (error === null) yield view;
      else if (++unshownCount <= namedMax) unshown.push(`${showKey(key)} (${error})`);
    }
  }
  const isSame = (await store.generationId()) === generationId;
  const problems = [lostText(isSame, lostCount, foundCount), unshownText(unshown, unshownCount)].filter(
    (text) => text !== null,
  );
  if (problems.length > 0) throw new Error(problems.join('; '));
}

/** A store that was lost before all keys were gathered may have had more users than anybody counted. */
function lostText(isSame: boolean, lostCount: number, foundCount: number): string | null {
  const lost = `${lostCount} of ${foundCount} users are missing`;
  if (!isSame) {
    return `the store was lost while it was read, and another generation of it answers: ${lost}, and whoever had not been found by then; export again once its holders have written back what they hold`;
  }
  return lostCount === 0
    ? null
    : `the store has no state any more of users that it had a moment ago: ${lost}; export again`;
}

function unshownText(named: readonly string[], count: number): string | null {
  if (count === 0) return null;
  const more = count > named.length ? ` and ${count - named.length} more` : '';
  return `users whose state can't be shown are missing: ${named.join(', ')}${more}`;
}

/** Not the iterator's own `take`, which ends it. */
function takeSome<T>(items: Iterator<T>, max: number): T[] {
  const some: T[] = [];
  while (some.length < max) {
    const next = items.next();
    if (next.done === true) break;
    some.push(next.value);
  }
  return some;
}
