import type { ShardRef } from '@holdfast/model';
import type { LeaseView } from '../lease-view.ts';
import type { ClosingUnits, EndWish } from './closing-units.ts';
import type { FaultWish, FaultyUnits } from './faulty-units.ts';
import { busyMovingMax, type HandOver, HandOverPlan, type HandOverSteps } from './hand-over.ts';
import { HeldUnit } from './held-unit.ts';
import { LongestIdle } from './longest-idle.ts';
import type { SealedUnit, SealedUnits } from './sealed-units.ts';
import type { UnitStore } from './unit-store.ts';

export interface UnitEndsParts {
  readonly self: ShardRef;
  readonly leases: LeaseView;
  readonly units: UnitStore;
  readonly closing: ClosingUnits;
  readonly faulty: FaultyUnits;
  readonly sealed: SealedUnits;
  /** Of the job: a unit without records for so long is released. */
  readonly idleMs: number;
}

/**
 * Which leases a holder ends by itself, and when: idle ones, those that are to be handed over, those in the way of others
 * when the table is full, all when it stops (PROTOCOL.md 2.2). Each unit closes, is backed up, and its end proposed.
 */
export class UnitEnds {
  readonly #self: ShardRef;
  readonly #leases: LeaseView;
  readonly #units: UnitStore;
  readonly #closing: ClosingUnits;
  readonly #faulty: FaultyUnits;
  readonly #sealed: SealedUnits;
  readonly #idleMs: number;
  readonly #handOver: HandOverPlan;
  readonly #longestIdle: LongestIdle;

  constructor({ self, leases, units, closing, faulty, sealed, idleMs }: UnitEndsParts) {
    this.#self = self;
    this.#leases = leases;
    this.#units = units;
    this.#closing = closing;
    this.#faulty = faulty;
    this.#sealed = sealed;
    this.#idleMs = idleMs;
    this.#handOver = new HandOverPlan(self, leases, units);
    this.#longestIdle = new LongestIdle(self, leases, units);
  }

  /** Units to hand over, in place of what is left of the last plan. */
  planHandOver(plan: readonly HandOver[], nowMs: number): void {
    this.#handOver.set(plan, nowMs);
  }

  /** Units that are to be handed over, and aren't yet. */
  get handOverLeft(): number {
    return this.#handOver.left + this.#closing.movingCount;
  }

  /** Begins moves of the plan while fewer than `movingMax` units are on their way, or few busy ones; looks at `places` of the table. */
  handOverSome(nowMs: number, movingMax: number, places: number): void {
    const movingNowMax = this.#handOver.takesBusy ? Math.min(movingMax, busyMovingMax) : movingMax;
    const max = movingNowMax - this.#closing.movingCount;
    if (max > 0 && !this.#closing.stopping) this.#handOver.take(max, places, nowMs, this.#handOverSteps);
  }

  /** Begins the move of one unit; false when it isn't open here. */
  moveUnit(hi: number, lo: number, to: ShardRef, nowMs: number): boolean {
    const unit = this.#units.get(hi, lo);
    if (this.#closing.stopping || (unit !== null && unit.phase !== 'open')) return false;
    const leases = this.#leases;
    if (!leases.lookup(hi, lo) || leases.session !== this.#self.session || leases.shard !== this.#self.shard) {
      return false;
    }
    if (unit === null) this.#closeUnclaimed(hi, lo, leases.epoch, to, nowMs);
    else this.#closing.close(unit, to);
    return true;
  }

  readonly #handOverSteps: HandOverSteps = {
    close: (unit, to) => this.#closing.close(unit, to),
    closeUnclaimed: (hi, lo, epoch, to) => this.#closeUnclaimed(hi, lo, epoch, to, 0),
  };

  /** A lease under which nothing was ever claimed ends without a row; until then its records are refused. */
  #closeUnclaimed(hi: number, lo: number, epoch: number, to: ShardRef | null, nowMs: number): void {
    const unit = new HeldUnit(hi, lo, epoch, nowMs);
    unit.rowless = true;
    this.#units.add(unit);
    this.#closing.close(unit, to);
  }

  /** Closes units without records for the job's idle time; looks at `max` of them, going on where it stopped. */
  closeIdle(nowMs: number, max: number): void {
    for (const unit of this.#units.some(max)) {
      if (unit.phase === 'open' && nowMs - unit.lastUsedMs >= this.#idleMs) this.#closing.close(unit);
    }
  }

  /** The table is nearly full: closes up to `max` units, the longest idle of `places` looked at. */
  closeLongestIdle(max: number, places: number, nowMs: number): void {
    if (this.#closing.stopping) return;
    this.#longestIdle.release(max, places, nowMs, {
      close: (unit) => this.#closing.close(unit),
      closeUnclaimed: (hi, lo, epoch) => this.#closeUnclaimed(hi, lo, epoch, null, nowMs),
    });
  }

  /** Refuses everything from now on and has every unit backed up: the shard is about to stop. */
  closeAll(): void {
    this.#closing.stopping = true;
    for (const unit of this.#units) if (unit.phase === 'open') this.#closing.close(unit);
  }

  /** True when every unit is closed and backed up. */
  get allClosed(): boolean {
    for (const unit of this.#units) if (unit.phase !== 'closed') return false;
    return true;
  }

  /** Closed units whose end is to be proposed. */
  takeEnds(nowMs: number): EndWish[] {
    return this.#closing.takeEnds(nowMs);
  }

  /** Units whose lease the leader is to take away, since their state can't be written or read (PROTOCOL.md 5.6). */
  takeFaults(nowMs: number): FaultWish[] {
    return this.#faulty.take(nowMs);
  }

  /** Units that have just been sealed. */
  takeSealed(): SealedUnit[] {
    return this.#sealed.takeSealed();
  }
}
