import type { Report } from '../../simulation/checkers/report.ts';
import type { LedgerState } from '../cluster-job.ts';
import { firstHash } from '../fingerprint.ts';
import { counts, type Ledger } from '../ledger.ts';
import type { SimulatedUser } from '../users.ts';

/**
 * I7, the gap rule: a record is applied to a state that has every earlier record of its user and partition, once and in
 * order, and not this one.
 */
export class GapRule {
  readonly #report: Report;
  readonly #ledger: Ledger;
  applied = 0;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  onApply(user: SimulatedUser, state: LedgerState, partition: number, offset: number): void {
    this.applied++;
    const record = this.#ledger.partitions[partition]?.[offset];
    const where = `${partition}/${offset} of user ${user.index}`;
    if (record?.user !== user || !counts(record.kind)) {
      this.#report(`I7: ${where} is applied, which was never produced`);
      return;
    }
    const count = state.counts[partition] ?? 0;
    if (count > record.place) this.#report(`I7: ${where} is applied to a state that has ${count} records, a duplicate`);
    else if (count < record.place) {
      this.#report(`I7: ${where} is applied to a state that lacks ${record.place - count} records before it, a gap`);
    } else if ((state.prints[partition] ?? firstHash) !== this.#ledger.part(user.index, partition).prints[count])
      this.#report(`I7: ${where} is applied to a state of other records than those before it`);
  }
}
