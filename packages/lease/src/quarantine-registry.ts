import { UnitMap } from '@holdfast/model';
import { crashesKeptMax, quarantinedUnitsMax, releasedUnitsMax } from './limits.ts';
import type { PartitionEnd, UnitCrashed } from './records.ts';
import { isOfUnit, isSameEnd, isSameRecord, unexplained } from './unit-crashes.ts';

/** A unit whose records holders don't show to the job (PROTOCOL.md 6.3). */
export interface QuarantinedUnit {
  readonly hi: number;
  readonly lo: number;
  /** Null: all its records. Once it is released: those below these offsets. */
  readonly before: readonly PartitionEnd[] | null;
}

/**
 * What crashed which node, and who is in quarantine for it. Part of the table's replicated state; each list is in the order
 * of its log entries, and bounded.
 */
export class QuarantineRegistry {
  #crashes: UnitCrashed[] = [];
  #units: QuarantinedUnit[] = [];
  readonly #places = new UnitMap(16);
  #quarantinedCount = 0;

  /** Oldest first. */
  get crashes(): readonly UnitCrashed[] {
    return this.#crashes;
  }

  /** Those in quarantine, and those that were of late. */
  get units(): readonly QuarantinedUnit[] {
    return this.#units;
  }

  /** Units in quarantine now. */
  get quarantinedCount(): number {
    return this.#quarantinedCount;
  }

  get isFull(): boolean {
    return this.#quarantinedCount >= quarantinedUnitsMax;
  }

  isQuarantined(hi: number, lo: number): boolean {
    const place = this.#places.get(hi >>> 0, lo >>> 0);
    return place >= 0 && this.#units[place]!.before === null;
  }

  /** False when it is known, or can't matter. */
  addCrash(crash: UnitCrashed): boolean {
    const isKnown = this.#crashes.some((other) => isSameEnd(other, crash) && isSameRecord(other, crash));
    if (isKnown || this.isQuarantined(crash.hi, crash.lo)) return false;
    this.#crashes = [...this.#crashes, crash].slice(-crashesKeptMax);
    return true;
  }

  /** Void when it is so already, or when there are too many. What ended with it counts against nobody else. */
  quarantine(hi: number, lo: number): boolean {
    if (this.isFull || this.isQuarantined(hi, lo)) return false;
    this.#crashes = unexplained(this.#crashes, hi, lo);
    this.#put({ hi, lo, before: null });
    return true;
  }

  /** Void when it isn't in quarantine. */
  release(hi: number, lo: number, before: readonly PartitionEnd[]): boolean {
    if (!this.isQuarantined(hi, lo)) return false;
    this.#put({ hi, lo, before });
    return true;
  }

  restore(crashes: readonly UnitCrashed[], units: readonly QuarantinedUnit[]): void {
    this.#crashes = [...crashes];
    this.#set([...units]);
  }

  #put(unit: QuarantinedUnit): void {
    const units = [...this.#units.filter((other) => !isOfUnit(other, unit.hi, unit.lo)), unit];
    const released = units.filter(({ before }) => before !== null);
    const oldest = released.length > releasedUnitsMax ? released[0] : null;
    this.#set(units.filter((each) => each !== oldest));
  }

  #set(units: QuarantinedUnit[]): void {
    this.#units = units;
    this.#places.clear();
    for (const [place, { hi, lo }] of units.entries()) this.#places.set(hi, lo, place);
    this.#quarantinedCount = units.filter(({ before }) => before === null).length;
  }
}
