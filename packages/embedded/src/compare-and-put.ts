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
    const { decided, later } = decideAll(table, open);
    const done = decided.length === 0 ? [] : await env.write(() => decided.map((d) => put(table, d)));
    open = [...decided.filter((_, i) => !done[i]).map((d) => d.item), ...later];
  }
  if (open.length === 0) return;
  const failure = await env.exclusive(() => {
    try {
      for (let left = open; left.length > 0; ) {
        const { decided, later } = decideAll(table, left);
        for (const d of decided) void table.put(d.item.key, d.value, d.next);
        left = later;
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

/** Of items with the same key the first is decided, the others wait for its outcome. */
function decideAll(table: Table, items: readonly Comparison[]): { decided: Decided[]; later: Comparison[] } {
  const decided: Decided[] = [];
  const later: Comparison[] = [];
  const keys = new Set<string>();
  for (const item of items) {
    const key = Buffer.from(item.key.buffer, item.key.byteOffset, item.key.byteLength).toString('latin1');
    if (keys.has(key)) {
      later.push(item);
      continue;
    }
    keys.add(key);
    const stored = table.getBinaryFast(item.key) ?? null;
    const version = stored === null ? null : getLastVersion();
    const value = item.decide(stored);
    if (value !== null) decided.push({ item, value, next: (version ?? 0) + 1, ifVersion: version });
  }
  return { decided, later };
}

function put(table: Table, { item, value, next, ifVersion }: Decided): Promise<boolean> {
  return table.put(item.key, value, next, ifVersion as number);
}
