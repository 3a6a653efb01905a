import type { LeaseRecord } from '@holdfast/lease';
import { type LeaseModel, unitKey } from '../../simulation/checkers/lease-model.ts';
import type { Report } from '../../simulation/checkers/report.ts';
import type { LedgerState } from '../cluster-job.ts';
import type { SimulatedUser } from '../users.ts';
import type { StoredUser } from './stored-rows.ts';

/** What was done under one lease of a unit. */
interface UnderLease {
  readonly key: string;
  readonly session: number;
  /** Per user and partition: how many of its records count. */
  readonly applied: Map<SimulatedUser, number[]>;
  /** The last row that a store accepted. */
  stored: readonly StoredUser[];
}

/**
 * I6, where nobody looks back: a lease that ends clean, alone or with its session, has had all that was applied under it
 * accepted by a store (PROTOCOL.md 2.2). No ingest goes back after such an end.
 */
export class CleanEnds {
  readonly #report: Report;
  readonly #model: LeaseModel;
  /** By unit and epoch. */
  readonly #leases = new Map<string, UnderLease>();
  readonly #ofSession = new Map<number, Set<UnderLease>>();
  /** Taken away: who hasn't heard of it yet applies on, and ingests go back for that too. */
  readonly #forced = new Set<string>();
  /** Leases that ended clean with records applied under them. */
  ends = 0;
  /** Sessions that did. */
  sessions = 0;

  constructor(report: Report, model: LeaseModel) {
    this.#report = report;
    this.#model = model;
  }

  /** A record of the user is applied by a shard of the session; `state` is the one before. */
  onApply(session: number, epoch: number, user: SimulatedUser, state: LedgerState, partition: number): void {
    const key = `${user.unitKey}/${epoch}`;
    if (this.#forced.has(key)) return;
    let lease = this.#leases.get(key);
    if (lease === undefined) {
      this.#leases.set(key, (lease = { key, session, applied: new Map(), stored: [] }));
      const leases = this.#ofSession.get(session);
      if (leases === undefined) this.#ofSession.set(session, new Set([lease]));
      else leases.add(lease);
    }
    let counts = lease.applied.get(user);
    if (counts === undefined) lease.applied.set(user, (counts = []));
    counts[partition] = (state.counts[partition] ?? 0) + 1;
  }

  onRow(unit: string, epoch: number, users: readonly StoredUser[]): void {
    const lease = this.#leases.get(`${unit}/${epoch}`);
    if (lease !== undefined) lease.stored = users;
  }

  /** After the model has taken it. */
  onRecord(record: LeaseRecord): void {
    switch (record.kind) {
      case 'released':
      case 'moved': {
        const epochs = record.kind === 'released' ? record.epochs : record.fromEpochs;
        for (const [i, epoch] of epochs.entries()) {
          const unit = unitKey(record.units[2 * i]!, record.units[2 * i + 1]!);
          if (this.#model.units.get(unit)?.epoch !== epoch) this.#ended(`${unit}/${epoch}`, true);
        }
        return;
      }
      case 'forceReleased': {
        const key = `${unitKey(record.hi, record.lo)}/${record.epoch}`;
        this.#forced.add(key);
        this.#ended(key, false);
        return;
      }
      case 'sessionOpened':
      case 'sessionEnded':
        for (const session of this.#ofSession.keys()) {
          const end = this.#model.ended.get(session);
          if (end !== undefined) this.#sessionEnded(session, end.reason === 'clean');
        }
    }
  }

  #sessionEnded(session: number, isClean: boolean): void {
    if (isClean) this.sessions++;
    for (const { key } of this.#ofSession.get(session)!) this.#ended(key, isClean);
    this.#ofSession.delete(session);
  }

  #ended(key: string, isClean: boolean): void {
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    this.#leases.delete(key);
    this.#ofSession.get(lease.session)?.delete(lease);
    if (!isClean) return;
    this.ends++;
    for (const [user, counts] of lease.applied) {
      const stored = lease.stored.find((each) => each.user === user)?.state.counts ?? [];
      for (const [partition, count] of counts.entries()) {
        if (count === undefined || (stored[partition] ?? 0) >= count) continue;
        this.#report(
          `I6: lease ${key} of session ${lease.session} ends clean, and ${count - (stored[partition] ?? 0)} records of user ${user.index} in ${partition} that were applied under it are in no accepted row`,
        );
        return;
      }
    }
  }
}
