import type { RecordCounters } from '../counters.ts';
import type { RecordLimits } from '../limits.ts';
import type { ClosingUnits } from './closing-units.ts';
import type { HeldUnit } from './held-unit.ts';
import type { ClaimWish } from './wishes.ts';

/** Faulty units of one shard at a time; with more it ends. */
export const faultyUnitsMax = 16;

/** A lease that the leader is to take away, and its unit to put into quarantine. */
export interface FaultWish extends ClaimWish {
  /** What is wrong with the state, or the stored row (an `UnreadableRowError`); null where it was told before. */
  readonly problem: unknown;
}

/**
 * Units with a state that the job can't encode or decode, or a stored row that can't be read (PROTOCOL.md 5.6): no row will
 * ever have what was applied to them last. They refuse records and hold the round back until the leader has put them into quarantine and taken their lease
 * away, an unclean end: whoever holds them next goes on from the last row, and buries what comes after.
 *
 * The leader is asked a moment later: where many are faulty by then, it is the job or its version that is wrong, and not
 * its users. Then the shard ends, and nobody is quarantined for it.
 */
export class FaultyUnits {
  readonly #closing: ClosingUnits;
  readonly #counters: RecordCounters;
  readonly #limits: Pick<RecordLimits, 'releaseRetryMs'>;
  /** When the leader was last asked, or the unit was first seen here; and why, until that was told. */
  readonly #units = new Map<HeldUnit, { askedMs: number | null; problem: unknown }>();

  constructor(closing: ClosingUnits, counters: RecordCounters, limits: Pick<RecordLimits, 'releaseRetryMs'>) {
    this.#closing = closing;
    this.#counters = counters;
    this.#limits = limits;
  }

  /** From now on the unit is of no use here. @throws Error when it is one of too many */
  add(unit: HeldUnit, problem: unknown): void {
    if (unit.phase === 'faulty') return;
    this.#closing.dropped(unit);
    unit.phase = 'faulty';
    unit.moveTo = null;
    this.#counters.unitsFaulty++;
    this.#units.set(unit, { askedMs: null, problem });
    if (this.#units.size <= faultyUnitsMax) return;
    const text = `the states of ${this.#units.size} users can't be written or read: the job is to be mended, or another version of it, or the store`;
    throw new Error(text, { cause: problem });
  }

  [Symbol.iterator](): Iterator<HeldUnit> {
    return this.#units.keys();
  }

  dropped(unit: HeldUnit): void {
    this.#units.delete(unit);
  }

  /** What to ask the leader for now: again and again, until the table shows it. */
  take(nowMs: number): FaultWish[] {
    if (this.#units.size === 0) return [];
    const wishes: FaultWish[] = [];
    for (const [{ hi, lo, epoch }, known] of this.#units) {
      known.askedMs ??= nowMs;
      if (nowMs - known.askedMs < this.#limits.releaseRetryMs) continue;
      wishes.push({ hi, lo, epoch, problem: known.problem });
      known.askedMs = nowMs;
      known.problem = null;
    }
    return wishes;
  }
}
