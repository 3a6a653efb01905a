import type { Mark } from '@holdfast/engine';
import { bucketOf } from '@holdfast/model';
import type { Report } from '../../simulation/checkers/report.ts';
import type { Ledger } from '../ledger.ts';
import type { StoreLife } from '../store-life.ts';
import type { SimulatedUser } from '../users.ts';
import { areBuried, type Buried, nothingBuried } from './buried.ts';
import type { StoredRows } from './stored-rows.ts';

/** I6, for markers (PROTOCOL.md 5.7): all of a bucket's units below its marker is in the rows of that very store. */
export class MarkerTruth {
  readonly #report: Report;
  readonly #ledger: Ledger;
  readonly #stored: StoredRows;
  readonly #buried: Buried;
  readonly #usersOf = new Map<number, SimulatedUser[]>();
  readonly #checked = new Map<StoreLife, Map<string, number>>();
  marks = 0;

  constructor(report: Report, ledger: Ledger, stored: StoredRows, buried: Buried = nothingBuried) {
    this.#buried = buried;
    this.#report = report;
    this.#ledger = ledger;
    this.#stored = stored;
    for (const user of ledger.users) {
      const bucket = bucketOf(user.unit.hi, user.unit.lo);
      const users = this.#usersOf.get(bucket);
      if (users === undefined) this.#usersOf.set(bucket, [user]);
      else users.push(user);
    }
  }

  onMarked(life: StoreLife, marks: readonly Mark[]): void {
    let checked = this.#checked.get(life);
    if (checked === undefined) this.#checked.set(life, (checked = new Map()));
    for (const { bucket, partition, offset } of marks) {
      const users = this.#usersOf.get(bucket);
      if (users === undefined) continue;
      const key = `${bucket}/${partition.partition}`;
      if ((checked.get(key) ?? 0) >= offset) continue;
      this.marks++;
      for (const user of users) this.#check(life, user, partition.partition, offset);
      checked.set(key, offset);
    }
  }

  #check(life: StoreLife, user: SimulatedUser, partition: number, offset: number): void {
    const wanted = this.#ledger.countBelow(user.index, partition, offset);
    const count = this.#stored.stateOf(life, user)?.state.counts[partition] ?? 0;
    if (count >= wanted) return;
    const { offsets } = this.#ledger.part(user.index, partition);
    if (areBuried(this.#buried, partition, offsets, count, wanted)) return;
    this.#report(
      `I6: bucket ${bucketOf(user.unit.hi, user.unit.lo)} is marked at ${partition}/${offset}, but the store has ${count} of ${wanted} records of user ${user.index}`,
    );
  }
}
