import { Ledger, type ProducedRecord, type SimulatedUser } from '@holdfast/testkit';
import { callsOf, type History } from './read-history.ts';

/**
 * What was produced, by the producer's own account, as the checkers of the simulated cluster look at it. A batch whose
 * append has no answer isn't allowed: whether it counts nobody could say.
 */
export function producedLedger(
  history: History,
  users: readonly SimulatedUser[],
  report: (text: string) => void,
): Ledger {
  const ledger = new Ledger(users);
  for (const { asked, done } of callsOf(history, 'produce')) {
    if (done === null) {
      report(`the producer doesn't know what became of ${asked.records.length} records for ${asked.partition}`);
      continue;
    }
    if ((ledger.partitions[asked.partition]?.length ?? 0) !== done.first)
      report(
        `P2: partition ${asked.partition} gave offset ${done.first}, after ${ledger.partitions[asked.partition]?.length ?? 0}`,
      );
    for (const [kind, key, amount, value] of asked.records) {
      ledger.note(asked.partition, {
        key: null,
        value: value === null ? null : new Uint8Array(Buffer.from(value, 'base64')),
        kind: kind as ProducedRecord['kind'],
        user: key === null ? null : (ledger.byHex.get(key) ?? null),
        amount,
        appendedUnixMs: 0,
      });
    }
  }
  return ledger;
}
