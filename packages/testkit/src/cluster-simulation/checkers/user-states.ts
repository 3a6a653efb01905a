import type { Report } from '../../simulation/checkers/report.ts';
import { counts, type Ledger } from '../ledger.ts';
import type { StoreLife } from '../store-life.ts';
import type { SimulatedUser } from '../users.ts';
import { areBuried, type Buried, nothingBuried } from './buried.ts';
import type { StoredRows, StoredUser } from './stored-rows.ts';

/**
 * I5: each user's fields that don't depend on the order of partitions equal a recomputation from what was produced. In
 * every row that is accepted its records are the first ones of each partition; when all is quiet, all of them. Of a unit whose
 * row was bent, all that the row lacks have to be buried; it may have some that are.
 */
export class UserStates {
  readonly #report: Report;
  readonly #ledger: Ledger;
  readonly #stored: StoredRows;
  readonly #buried: Buried;
  rows = 0;
  compared = 0;

  constructor(report: Report, ledger: Ledger, stored: StoredRows, buried: Buried = nothingBuried) {
    this.#buried = buried;
    this.#report = report;
    this.#ledger = ledger;
    this.#stored = stored;
  }

  onRow({ user, state }: StoredUser): void {
    this.rows++;
    if (user === null) return;
    for (const [partition, count] of state.counts.entries()) {
      const { prints, offsets } = this.#ledger.part(user.index, partition);
      if (count <= offsets.length && state.prints[partition] === prints[count]) continue;
      this.#report(
        `I5: a row has ${count} records of user ${user.index} in ${partition}, and they aren't the first ${count} of ${offsets.length}`,
      );
    }
  }

  /** When everything is durable: by a recomputation that shares nothing with the job. */
  compare(life: StoreLife): void {
    const expected = this.#ledger.users.map(() => ({ records: 0, total: 0, last: new Map<number, number>() }));
    for (const [partition, records] of this.#ledger.partitions.entries()) {
      for (const [offset, { kind, user, amount }] of records.entries()) {
        if (user === null || !counts(kind) || this.#buried.isBuried(partition, offset)) continue;
        const sums = expected[user.index]!;
        sums.records++;
        sums.total += amount;
        sums.last.set(partition, offset);
      }
    }
    for (const user of this.#ledger.users) {
      const { records, total, last } = expected[user.index]!;
      const state = this.#stored.stateOf(life, user)?.state;
      this.compared++;
      if (this.#buried.wasBent(user.unitKey)) {
        this.#compareBent(user, state?.counts ?? []);
        continue;
      }
      const stored = (state?.counts ?? []).reduce((sum, count) => sum + count, 0);
      if (stored !== records || (state?.total ?? 0) !== total)
        this.#report(
          `I5: user ${user.index} has ${stored} records of ${records}, and a total of ${state?.total ?? 0} for ${total}`,
        );
      for (const [partition, offset] of last) {
        if (state?.recent.get(partition) !== offset)
          this.#report(
            `I5: the last record of user ${user.index} in ${partition} is ${state?.recent.get(partition)}, not ${offset}`,
          );
      }
    }
  }

  #compareBent(user: SimulatedUser, has: readonly number[]): void {
    for (const partition of this.#ledger.partitions.keys()) {
      const { offsets } = this.#ledger.part(user.index, partition);
      if (!areBuried(this.#buried, partition, offsets, has[partition] ?? 0, offsets.length))
        this.#report(`I5: user ${user.index} lacks records of ${partition} that aren't buried, and its row was bent`);
    }
  }
}
