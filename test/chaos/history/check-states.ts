import { StoredRows, StoreLife, UserStates } from '@holdfast/testkit';
import type { CheckOptions, Verdict } from './check-history.ts';
import { producedLedger } from './produced-ledger.ts';
import type { History } from './read-history.ts';

/** The end alone: every user's state in the store against a recomputation from what was produced (I5). */
export function checkStates(history: History, { users, generation, stored }: CheckOptions): Verdict {
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
  return { violations, seen: { usersCompared: states.compared, produced: ledger.count } };
}
