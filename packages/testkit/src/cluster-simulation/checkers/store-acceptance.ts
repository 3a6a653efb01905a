import type { Claim, ClaimResult, RowResult, RowWrite } from '@holdfast/engine';
import { formatUnit } from '@holdfast/model';
import type { Report } from '../../simulation/checkers/report.ts';
import type { StoreLife } from '../store-life.ts';

type Stamp = readonly [epoch: number, seq: number];

/**
 * I2: the store accepts iff (epoch, seq) is greater than what it has; equal is ok and writes nothing. I3: nothing of an
 * older epoch is accepted once a later one is installed. By a model of its own, of stamps alone. What is bent is answered so,
 * and stays; a claim of a row that is bent behind its stamp raises that all the same.
 */
export class StoreAcceptance {
  readonly #report: Report;
  readonly #stamps = new Map<StoreLife, Map<string, Stamp>>();
  accepted = 0;
  claimsFenced = 0;
  rowsFenced = 0;
  stale = 0;
  corrupt = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Another life begins with what a replica had. */
  onNewLife(life: StoreLife): void {
    this.#stamps.set(life, new Map([...life.rows].map(([unit, { epoch, seq }]) => [unit, [epoch, seq] as const])));
  }

  onClaimed(life: StoreLife, { hi, lo, epoch }: Claim, { code }: ClaimResult): void {
    const unit = formatUnit(hi, lo);
    const [storedEpoch, storedSeq] = this.#stampOf(life, unit);
    const isRepeated = epoch === storedEpoch && storedSeq === 0;
    const part = life.bent.get(unit);
    const isTaken = part !== 'all' && (epoch > storedEpoch || isRepeated);
    const expected = part === 'all' ? 'CORRUPT' : !isTaken ? 'FENCED' : part === undefined ? 'OK' : 'CORRUPT';
    this.#expect(unit, epoch, 0, code, expected, storedEpoch);
    if (code === 'OK' || (code === 'CORRUPT' && isTaken)) this.#put(life, unit, [epoch, 0]);
    else if (code === 'FENCED') this.claimsFenced++;
    if (code === 'CORRUPT') this.corrupt++;
  }

  onBackup(life: StoreLife, { hi, lo, epoch, seq }: RowWrite, { code }: RowResult): void {
    const unit = formatUnit(hi, lo);
    const [storedEpoch, storedSeq] = this.#stampOf(life, unit);
    const isOwn = epoch === storedEpoch;
    const isBent = life.bent.get(unit) === 'all';
    const expected = isBent ? 'CORRUPT' : epoch < storedEpoch ? 'FENCED' : isOwn && seq < storedSeq ? 'STALE' : 'OK';
    this.#expect(unit, epoch, seq, code, expected, storedEpoch);
    if (code === 'OK') {
      this.accepted++;
      this.#put(life, unit, [epoch, seq]);
    } else if (code === 'FENCED') this.rowsFenced++;
    else if (code === 'STALE') this.stale++;
    else this.corrupt++;
  }

  #expect(unit: string, epoch: number, seq: number, code: string, expected: string, storedEpoch: number): void {
    if (code === expected) return;
    const which = code === 'OK' && epoch < storedEpoch ? 'I3' : 'I2';
    this.#report(`${which}: the store says ${code} to (${epoch}, ${seq}) of unit ${unit}, where ${expected} is right`);
  }

  #stampOf(life: StoreLife, unit: string): Stamp {
    return this.#stamps.get(life)?.get(unit) ?? [-1, 0];
  }

  #put(life: StoreLife, unit: string, stamp: Stamp): void {
    let stamps = this.#stamps.get(life);
    if (stamps === undefined) this.#stamps.set(life, (stamps = new Map()));
    stamps.set(unit, stamp);
  }
}
