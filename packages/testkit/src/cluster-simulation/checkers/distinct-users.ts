import { formatUnit } from '@holdfast/model';
import type { Report } from '../../simulation/checkers/report.ts';
import type { LedgerState } from '../cluster-job.ts';
import { unitOf } from '../colliding-key.ts';
import { hexOf, type SimulatedUser } from '../users.ts';
import type { StoredUser } from './stored-rows.ts';

/** I9: distinct bytes never share a state, whatever they are; they survive every round trip; prototypes stay as they are. */
export class DistinctUsers {
  readonly #report: Report;
  readonly #prototypeBefore = Reflect.ownKeys(Object.prototype).length;
  /** Users of which a row was seen beside another user of the unit. */
  readonly sharing = new Set<number>();
  rows = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  onApply({ hex, index }: SimulatedUser, { owner }: LedgerState): void {
    if (owner !== '' && owner !== `key ${hex}`)
      this.#report(`I9: a record of user ${index} meets the state of another`);
  }

  onRow(unit: string, users: readonly StoredUser[]): void {
    const keys = new Set<string>();
    for (const { user, key, state } of users) {
      this.rows++;
      const hex = hexOf(key);
      if (keys.has(hex)) this.#report(`I9: a row of unit ${unit} has one user twice`);
      keys.add(hex);
      const { hi, lo } = unitOf(key);
      if (user === null || formatUnit(hi, lo) !== unit || state.owner !== `key ${hex}`)
        this.#report(`I9: a row of unit ${unit} has a key of ${key.length} bytes that isn't that user's`);
      else if (users.length > 1) this.sharing.add(user.index);
    }
  }

  compare(): void {
    if (Reflect.ownKeys(Object.prototype).length !== this.#prototypeBefore)
      this.#report('I9: a user has changed the prototype of all objects');
  }
}
