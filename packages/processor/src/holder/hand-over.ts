import type { ShardRef } from '@holdfast/model';
import type { LeaseView } from '../lease-view.ts';
import type { HeldUnit } from './held-unit.ts';
import type { UnitStore } from './unit-store.ts';

/** So many of this shard's units are to go to that shard. */
export interface HandOver {
  readonly to: ShardRef;
  readonly count: number;
}

/** What to do with a unit: close one that is held, or end a lease that was never used. */
export interface HandOverSteps {
  close(unit: HeldUnit, to: ShardRef): void;
  closeUnclaimed(hi: number, lo: number, epoch: number, to: ShardRef): void;
}

/** A plan that wasn't carried out by then is void: its maker has given it up. */
const planMsMax = 15_000;
/** A unit without records for so long is idle: closing it now delays nobody. */
const idleMs = 2_000;
/**
 * Busy units on their way at once. Their users wait until all that left together is saved, granted and claimed: few at a
 * time wait for a shorter time each.
 */
export const busyMovingMax = 24;

/**
 * Chooses the units that a shard hands over: leases never used and idle units come first, busy ones only when a whole look
 * at the table found too few of those. Walks the table a piece at a time, since leases
 * that no record has come for are nowhere else.
 */
export class HandOverPlan {
  readonly #self: ShardRef;
  readonly #leases: LeaseView;
  readonly #units: UnitStore;
  #plan: { readonly to: ShardRef; left: number }[] = [];
  #setAtMs = 0;
  #cursor = 0;
  #takesBusy = false;
  /** Places looked at since the walk last began at the front. */
  #wrapped = false;

  constructor(self: ShardRef, leases: LeaseView, units: UnitStore) {
    this.#self = self;
    this.#leases = leases;
    this.#units = units;
  }

  /** Replaces what is left of the plan before. */
  set(plan: readonly HandOver[], nowMs: number): void {
    this.#setAtMs = nowMs;
    this.#plan = plan.filter(({ count }) => count > 0).map(({ to, count }) => ({ to, left: count }));
    this.#takesBusy = false;
    this.#wrapped = this.#cursor === 0;
  }

  /** Units that the plan still lacks. */
  get left(): number {
    return this.#plan.reduce((sum, { left }) => sum + left, 0);
  }

  /** Only busy units are left to choose from. */
  get takesBusy(): boolean {
    return this.#takesBusy;
  }

  /** Begins up to `max` moves, after looking at no more than `places` of the table. */
  take(max: number, places: number, nowMs: number, steps: HandOverSteps): void {
    const leases = this.#leases;
    // Whoever made the plan doesn't lead any more, or has others by now that got lost.
    if (nowMs - this.#setAtMs > planMsMax) this.#plan = [];
    let began = 0;
    while (this.#plan.length > 0 && began < max && places > 0) {
      const piece = Math.min(places, 512);
      const next = leases.visitSome(this.#cursor, piece, (hi, lo) => {
        if (began < max && this.#plan.length > 0 && this.#consider(hi, lo, nowMs, steps)) began++;
      });
      places -= piece;
      this.#cursor = next;
      // Busy units have a limit of their own, from the next time on.
      if (next === 0 && this.#endWalk()) return;
    }
  }

  /** True when only busy units are left from now on. */
  #endWalk(): boolean {
    const isTurn = this.#wrapped && !this.#takesBusy;
    if (this.#wrapped) this.#takesBusy = true;
    this.#wrapped = true;
    return isTurn;
  }

  #consider(hi: number, lo: number, nowMs: number, steps: HandOverSteps): boolean {
    const { session, shard, epoch } = this.#leases;
    if (session !== this.#self.session || shard !== this.#self.shard) return false;
    const unit = this.#units.get(hi, lo);
    const [first] = this.#plan;
    if (unit === null) steps.closeUnclaimed(hi, lo, epoch, first!.to);
    else {
      if (unit.phase !== 'open' || unit.epoch !== epoch) return false;
      if (!this.#takesBusy && nowMs - unit.lastUsedMs < idleMs) return false;
      steps.close(unit, first!.to);
    }
    if (--first!.left === 0) this.#plan.shift();
    return true;
  }
}
