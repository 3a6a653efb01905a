import type { Claim, ClaimResult } from '@holdfast/engine';
import type { LeaseRecord } from '@holdfast/lease';
import { type LeaseModel, unitKey } from '../../simulation/checkers/lease-model.ts';
import type { Report } from '../../simulation/checkers/report.ts';
import type { SimulatedUser } from '../users.ts';

/** A shard, as far as leases name one. */
export interface Applier {
  readonly serial: number;
  readonly session: number;
  readonly index: number;
}

/**
 * I1: per unit and epoch at most one shard applies records or writes rows; it does so after its claim, under the lease
 * that names it, and no more once that lease has ended by its own release or move (PROTOCOL.md 2.2).
 */
export class OneApplier {
  readonly #report: Report;
  readonly #model: LeaseModel;
  /** Who claimed, wrote or applied under a unit's epoch. */
  readonly #shardOf = new Map<string, number>();
  /** Epoch of the last claim of each shard, by unit. */
  readonly #claimed = new Map<number, Map<string, number>>();
  readonly #endedClean = new Set<string>();
  applied = 0;
  cleanEnds = 0;
  moves = 0;

  constructor(report: Report, model: LeaseModel) {
    this.#report = report;
    this.#model = model;
  }

  /** After the model has taken it. */
  onRecord(record: LeaseRecord): void {
    if (record.kind !== 'released' && record.kind !== 'moved') return;
    const epochs = record.kind === 'released' ? record.epochs : record.fromEpochs;
    for (let i = 0; i < epochs.length; i++) {
      const unit = unitKey(record.units[2 * i]!, record.units[2 * i + 1]!);
      if (this.#model.units.get(unit)?.epoch === epochs[i]) continue;
      this.#endedClean.add(`${unit}/${epochs[i]}`);
      this.cleanEnds++;
      if (record.kind === 'moved' && this.#model.units.has(unit)) this.moves++;
    }
  }

  /** The store accepted a claim or a row. */
  onAccepted(serial: number, unit: string, epoch: number): void {
    const key = `${unit}/${epoch}`;
    const known = this.#shardOf.get(key);
    if (known === undefined) this.#shardOf.set(key, serial);
    else if (known !== serial)
      this.#report(`I1: shard ${serial} writes unit ${unit} under epoch ${epoch}, as shard ${known} has`);
  }

  onClaimAnswered(serial: number, { hi, lo, epoch }: Claim, { code }: ClaimResult): void {
    if (code !== 'OK') return;
    let units = this.#claimed.get(serial);
    if (units === undefined) this.#claimed.set(serial, (units = new Map()));
    units.set(unitKey(hi, lo), epoch);
  }

  /** Under which epoch the shard has claimed the unit. */
  claimedEpoch(serial: number, unit: string): number | undefined {
    return this.#claimed.get(serial)?.get(unit);
  }

  onApply({ serial, session, index }: Applier, { unitKey: unit }: SimulatedUser): void {
    this.applied++;
    const epoch = this.claimedEpoch(serial, unit);
    if (epoch === undefined) {
      this.#report(`I1: shard ${serial} applies a record of unit ${unit}, which it hasn't claimed`);
      return;
    }
    this.onAccepted(serial, unit, epoch);
    if (this.#endedClean.has(`${unit}/${epoch}`))
      this.#report(`I1: shard ${serial} applies a record of unit ${unit} under epoch ${epoch}, which ended clean`);
    const lease = this.#model.units.get(unit);
    if (lease?.epoch === epoch && (lease.session !== session || lease.shard !== index))
      this.#report(`I1: shard ${serial} applies a record of unit ${unit} under the lease of session ${lease.session}`);
  }

  forget(serial: number): void {
    this.#claimed.delete(serial);
  }
}
