import type { NewRecord } from '@holdfast/engine';
import type { LeaseRecord, UnitCrashed } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';
import { quarantinedReason } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';
import { deadLetterTopic } from '../cluster-job.ts';
import type { Ledger } from '../ledger.ts';
import type { Buried } from './buried.ts';

/**
 * Quarantine (PROTOCOL.md 6.3): only units with a record that ends processes come into it, and only once the log has two
 * nodes that ended at one of its records, or six ends of one; and those with a record that spoils their state, or a bent row
 * (5.6). Only their records are buried for it. That each is in the state or buried, and never both, is seen by I5.
 */
export class QuarantineTruth implements Buried {
  readonly #report: Report;
  readonly #ledger: Ledger;
  /** By unit with a deadly record: how many processes it has ended. */
  readonly #deaths = new Map<string, number>();
  /** By unit and record: the crashes that the log has. */
  readonly #crashes = new Map<string, Map<string, { readonly node: string; readonly counter: number }[]>>();
  readonly #spoilt = new Set<string>();
  readonly #bent = new Set<string>();
  readonly #quarantined = new Set<string>();
  readonly #buried = new Set<string>();

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  get units(): number {
    return this.#quarantined.size;
  }

  get letters(): number {
    return this.#buried.size;
  }

  /** A record of the unit has ended a process. */
  onDeath(unit: string): void {
    this.#deaths.set(unit, (this.#deaths.get(unit) ?? 0) + 1);
  }

  /** A record of the unit is in the log that leaves a state which can't be backed up. */
  onSpoilt(unit: string): void {
    this.#spoilt.add(unit);
  }

  /** What is stored of the unit can't be read. */
  onBent(unit: string): void {
    this.#bent.add(unit);
  }

  wasBent(unit: string): boolean {
    return this.#bent.has(unit);
  }

  onRecord(record: LeaseRecord): void {
    if (record.kind === 'unitCrashed') this.#onCrash(record);
    if (record.kind !== 'unitQuarantined') return;
    const unit = formatUnit(record.hi, record.lo);
    if (this.#quarantined.has(unit)) return;
    this.#quarantined.add(unit);
    if (this.#spoilt.has(unit) || this.#bent.has(unit)) return;
    const deaths = this.#deaths.get(unit) ?? 0;
    if (deaths < 2) this.#report(`6.3: unit ${unit} is quarantined, whose records have ended ${deaths} processes`);
    const isDue = [...(this.#crashes.get(unit)?.values() ?? [])].some(
      (crashes) => crashes.length >= 6 || new Set(crashes.map(({ node }) => node)).size >= 2,
    );
    if (!isDue) this.#report(`6.3: unit ${unit} is quarantined before two nodes have ended at one of its records`);
  }

  #onCrash({ hi, lo, partition, offset, nodeId: node, counter }: UnitCrashed): void {
    const unit = formatUnit(hi, lo);
    let records = this.#crashes.get(unit);
    if (records === undefined) this.#crashes.set(unit, (records = new Map()));
    const crashes = records.get(`${partition}/${offset}`) ?? [];
    if (!crashes.some((other) => other.node === node && other.counter === counter)) crashes.push({ node, counter });
    records.set(`${partition}/${offset}`, crashes);
  }

  onAppended(topic: string, records: readonly NewRecord[]): void {
    if (topic !== deadLetterTopic) return;
    for (const { headers } of records) {
      if (headers?.reason !== quarantinedReason) continue;
      const { partition, offset } = headers;
      const user = this.#ledger.partitions[Number(partition)]?.[Number(offset)]?.user;
      if (user == null || !this.#quarantined.has(user.unitKey))
        this.#report(`6.3: ${partition}/${offset} is buried, whose unit isn't quarantined`);
      this.#buried.add(`${partition}/${offset}`);
    }
  }

  isBuried(partition: number, offset: number): boolean {
    return this.#buried.has(`${partition}/${offset}`);
  }
}
