import { getLastVersion } from 'lmdb';
import type { LmdbEnv, Table } from './lmdb-env.ts';

/**
 * One value to be decided upon. `decide` gets what is stored (null: nothing; valid only during the call) and returns
 * what to store in its place, or null to leave it. It is asked again when another writer came between: the last answer counts.
 */
export interface Comparison {
  readonly key: Uint8Array;
  decide(stored: Buffer | null): Uint8Array | null;
}

/** Lost this often to other writers, the rest is done with them shut out: whoever waits for the lock has read too early. */
const optimisticRoundsMax = 3;

/**
 * Compare and put, for each item atomically; durable when it resolves. The compare of reads made beforehand is LMDB's
 * own, by the entry's version, so that the lock which all processes share is held for native work only.
 * The table must have versions, and nothing in it is ever removed (a version must not come back).
 */
export async function compareAndPut(env: LmdbEnv, table: Table, items: readonly Comparison[]): Promise<void> {
  let open = items;
  for (let round = 0; open.length > 0 && round < optimisticRoundsMax; round++) {
    env.refresh();
    const deciding = decideAll(table, open);
    if (deciding.length === 0) return;
    const done = await env.write(() =>
      deciding.map((d) => table.put(d.item.key, d.value, d.next, d.ifVersion as number)),
    );
    open = deciding.filter((_, i) => !done[i]).map((d) => d.item);
  }
  if (open.length === 0) return;
  const failure = await env.exclusive(() => {
    try {
      // One by one: a key may occur twice, and the second must see what the first has put.
      for (const item of open) {
        for (const d of decideAll(table, [item])) void table.put(item.key, d.value, d.next);
      }
      return null;
    } catch (error) {
      return { error };
    }
  });
  if (failure !== null) throw failure.error;
}

interface Decided {
  readonly item: Comparison;
  readonly value: Uint8Array;
  readonly next: number;
  /** null: only if there is none yet (lmdb's types leave it out). */
  readonly ifVersion: number | null;
}

function decideAll(table: Table, items: readonly Comparison[]): Decided[] {
  const decided: Decided[] = [];
  for (const item of items) {
    const stored = table.getBinaryFast(item.key) ?? null;
    const version = stored === null ? null : getLastVersion();
    const value = item.decide(stored);
    if (value !== null) decided.push({ item, value, next: (version ?? 0) + 1, ifVersion: version });
  }
  return decided;
}
