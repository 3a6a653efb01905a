import type { RecordCounters } from '../counters.ts';
import type { RecordLimits } from '../limits.ts';
import type { ClosingUnits } from './closing-units.ts';
import type { HeldUnit } from './held-unit.ts';
import type { ClaimWish } from './wishes.ts';

/** A lease that the leader is to take away, and its unit to put into quarantine. */
export interface FaultWish extends ClaimWish {
  /** What is wrong with the state; null where it was told before. */
  readonly problem: unknown;
}

/**
 * Units with a state that the job can't encode or decode (PROTOCOL.md 5.6): no row will ever have what was applied to them
 * last. They refuse records and hold the round back until the leader has put them into quarantine and taken their lease
 * away, an unclean end: whoever holds them next goes on from the last row, and buries what comes after.
 */
export class FaultyUnits {
  readonly #closing: ClosingUnits;
  readonly #counters: RecordCounters;
  readonly #limits: Pick<RecordLimits, 'releaseRetryMs'>;
  /** When the leader was last asked, and whether it was told why. */
  readonly #units = new Map<HeldUnit, { askedMs: number; problem: unknown }>();

  constructor(closing: ClosingUnits, counters: RecordCounters, limits: Pick<RecordLimits, 'releaseRetryMs'>) {
    this.#closing = closing;
    this.#counters = counters;
    this.#limits = limits;
  }

  /** From now on the unit is of no use here. */
  add(unit: HeldUnit, problem: unknown): void {
    if (unit.phase === 'faulty') return;
    this.#closing.dropped(unit);
    unit.phase = 'faulty';
    unit.moveTo = null;
    this.#counters.unitsFaulty++;
    this.#units.set(unit, { askedMs: Number.NEGATIVE_INFINITY, problem });
  }

  dropped(unit: HeldUnit): void {
    this.#units.delete(unit);
  }

  /** What to ask the leader for now: again and again, until the table shows it. */
  take(nowMs: number): FaultWish[] {
    if (this.#units.size === 0) return [];
    const wishes: FaultWish[] = [];
    for (const [{ hi, lo, epoch }, known] of this.#units) {
      if (nowMs - known.askedMs < this.#limits.releaseRetryMs) continue;
      wishes.push({ hi, lo, epoch, problem: known.problem });
      known.askedMs = nowMs;
      known.problem = null;
    }
    return wishes;
  }
}
