import { crashesKeptMax, quarantinedUnitsMax, releasedUnitsMax } from './limits.ts';
import { PartitionEnds } from './partition-ends.ts';
import { isSameCrash, unexplained } from './process-crashes.ts';
import type { PartitionEnd, ProcessCrash } from './records.ts';

/** A unit whose records holders don't show to the job (PROTOCOL.md 6.3). */
export interface QuarantinedUnit {
  readonly hi: number;
  readonly lo: number;
  /** Null: all its records. Once it is released: those below these offsets. Units that were released at the same ends share them. */
  readonly before: PartitionEnds | null;
}

/**
 * What crashed which node, and who is in quarantine for it. Part of the table's replicated state; each list is in the order
 * of its log entries, and bounded.
 */
export class QuarantineRegistry {
  #crashes: ProcessCrash[] = [];
  /** In the order of the entries. */
  readonly #units = new Map<string, QuarantinedUnit>();
  #quarantinedCount = 0;

  /** Oldest first. */
  get crashes(): readonly ProcessCrash[] {
    return this.#crashes;
  }

  /** Those in quarantine, and those that were of late. A unit that hasn't changed is the same object each time. */
  get units(): readonly QuarantinedUnit[] {
    return [...this.#units.values()];
  }

  /** Ends of released units, each once. */
  get lists(): PartitionEnds[] {
    return [...new Set([...this.#units.values()].flatMap(({ before }) => before ?? []))];
  }

  /** Units in quarantine now. */
  get quarantinedCount(): number {
    return this.#quarantinedCount;
  }

  get isFull(): boolean {
    return this.#quarantinedCount >= quarantinedUnitsMax;
  }

  isQuarantined(hi: number, lo: number): boolean {
    return this.of(hi, lo)?.before === null;
  }

  /** The same object as long as nothing changes for the unit. */
  of(hi: number, lo: number): QuarantinedUnit | undefined {
    return this.#units.get(keyOf(hi, lo));
  }

  /** False when it is known, or can't matter. */
  addCrash(crash: ProcessCrash): boolean {
    if (this.#crashes.some((other) => isSameCrash(other, crash))) return false;
    if (crash.kind === 'unitCrashed' && this.isQuarantined(crash.hi, crash.lo)) return false;
    this.#crashes = [...this.#crashes, crash];
    // Frames first: what is named is what a verdict needs.
    if (this.#crashes.length > crashesKeptMax) {
      const frame = this.#crashes.findIndex(({ kind }) => kind === 'frameCrashed');
      this.#crashes.splice(Math.max(0, frame), 1);
    }
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
    this.#put({ hi, lo, before: this.#shared(PartitionEnds.of(before)) });
    if (this.#units.size - this.#quarantinedCount > releasedUnitsMax) this.#forgetOldest();
    return true;
  }

  /** @param units equal ends are one object */
  restore(crashes: readonly ProcessCrash[], units: readonly QuarantinedUnit[]): void {
    this.#crashes = [...crashes];
    this.#units.clear();
    this.#quarantinedCount = 0;
    for (const unit of units) this.#put(unit);
  }

  /** Behind all others: what is told of it is the latest. */
  #put(unit: QuarantinedUnit): void {
    const key = keyOf(unit.hi, unit.lo);
    if (this.#units.get(key)?.before === null) this.#quarantinedCount--;
    this.#units.delete(key);
    this.#units.set(key, unit);
    if (unit.before === null) this.#quarantinedCount++;
  }

  #forgetOldest(): void {
    for (const [key, { before }] of this.#units) {
      if (before === null) continue;
      this.#units.delete(key);
      return;
    }
  }

  /** The ends that other units have already, if they are equal. */
  #shared(ends: PartitionEnds): PartitionEnds {
    let last: PartitionEnds | null = null;
    for (const { before } of this.#units.values()) {
      if (before === null || before === last) continue;
      if (before.equals(ends)) return before;
      last = before;
    }
    return ends;
  }
}

const keyOf = (hi: number, lo: number): string => `${hi >>> 0}/${lo >>> 0}`;
