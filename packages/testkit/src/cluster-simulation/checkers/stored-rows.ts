import type { LeaseRecord } from '@holdfast/lease';
import { decodeRow } from '@holdfast/processor';
import { type LedgerState, ledgerJob } from '../cluster-job.ts';
import type { Ledger } from '../ledger.ts';
import type { StoreLife } from '../store-life.ts';
import { hexOf, type SimulatedUser } from '../users.ts';

export interface StoredUser {
  /** Null when nobody has that key. */
  readonly user: SimulatedUser | null;
  readonly key: Uint8Array;
  readonly state: LedgerState;
  readonly bytes: Uint8Array;
}

/** What the rows of the store say, decoded once per row; and which life of the store each generation is. */
export class StoredRows {
  readonly #ledger: Ledger;
  readonly #job = ledgerJob(1_000, () => {});
  readonly #users = new WeakMap<Uint8Array, readonly StoredUser[]>();
  readonly #lives = new Map<string, StoreLife>();
  /** Those that the log has taken, in its order. */
  readonly #generations = new Set<string>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  noteLife(life: StoreLife): void {
    this.#lives.set(life.generationId, life);
  }

  /** A lease record that has just been committed. */
  noteRecord(record: LeaseRecord): void {
    if (record.kind !== 'generationChanged' || this.#generations.size + 1 !== record.number) return;
    this.#generations.add(record.storeGeneration);
  }

  /** The store of a generation that the log has taken. */
  lifeOf(generationId: string): StoreLife | undefined {
    return this.#generations.has(generationId) ? this.#lives.get(generationId) : undefined;
  }

  /** @param row as it is kept: never changed */
  usersOf(row: Uint8Array): readonly StoredUser[] {
    let users = this.#users.get(row);
    if (users === undefined) {
      users = decodeRow(row).users.map(({ key, state }) => ({
        user: this.#ledger.byHex.get(hexOf(key)) ?? null,
        key,
        state: this.#job.decodeState(state),
        bytes: state,
      }));
      this.#users.set(row, users);
    }
    return users;
  }

  /** The state of a user in a store; null when there is none. */
  stateOf(life: StoreLife, user: SimulatedUser): StoredUser | null {
    const row = life.rows.get(user.unitKey)?.row;
    return row == null ? null : (this.usersOf(row).find((stored) => stored.user === user) ?? null);
  }
}
