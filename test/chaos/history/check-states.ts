import { StoredRows, StoreLife, UserStates } from '@holdfast/testkit';
import type { CheckOptions, Verdict } from './check-history.ts';
import { MemoryBound } from './memory-bound.ts';
import { producedLedger } from './produced-ledger.ts';
import type { History } from './read-history.ts';

/**
 * Every user's state in the store, at the end, against a recomputation from what was produced (I5); and all the while the
 * memory of the processes, and whether their shards' threads go on (I21).
 */
export function checkStates(history: History, { users, generation, stored, rssBytesMax }: CheckOptions): Verdict {
  const violations: string[] = [];
  const report = (text: string): void => {
    if (violations.length < 50) violations.push(text);
  };
  const ledger = producedLedger(history, users, report);
  const life = new StoreLife(generation);
  const rows = new StoredRows(ledger);
  rows.noteLife(life);
  for (const [unit, { epoch, seq, row }] of stored) {
    if (row === null) continue;
    const hi = Number.parseInt(unit.slice(0, 8), 16);
    const lo = Number.parseInt(unit.slice(-8), 16);
    life.backup({ hi, lo, epoch, seq, row: new Uint8Array(Buffer.from(row, 'base64')), savedUnixMs: 0 });
  }
  const states = new UserStates(report, ledger, rows);
  states.compare(life);
  const memory = new MemoryBound(rssBytesMax, report);
  let levelsLooks = 0;
  for (const { event } of history.events) {
    if (event.k !== 'levels') continue;
    levelsLooks++;
    memory.look(event.rssBytes);
  }
  const seen = { usersCompared: states.compared, produced: ledger.count, levelsLooks, rssBytesMost: memory.most };
  return { violations, seen: { ...seen, standstillMsMost: longestStandstillMs(history) } };
}

/** A shard's thread tells its levels four times a second, if it is not busy with something else: the longest silence of one. */
function longestStandstillMs({ events }: History): number {
  const lastUs = new Map<number, number>();
  let longestUs = 0;
  for (const { thread, event } of events) {
    if (event.k !== 'levels') continue;
    longestUs = Math.max(longestUs, event.t - (lastUs.get(thread) ?? event.t));
    lastUs.set(thread, event.t);
  }
  return Math.round(longestUs / 1_000);
}
