import type { ShardRef } from '@holdfast/model';
import type { LeaseView } from '../lease-view.ts';
import type { HeldUnit } from './held-unit.ts';
import type { UnitStore } from './unit-store.ts';

/** What to do with a unit: close one that is held, or end a lease that was never used. */
export interface ReleaseSteps {
  close(unit: HeldUnit): void;
  closeUnclaimed(hi: number, lo: number, epoch: number): void;
}

/** A lease without any record for so long after its grant: whoever asked for it has gone away. */
const unusedMs = 5_000;

/**
 * Finds the units to release when the table is nearly full: leases that no record ever came for, then those without a record
 * for longest. Each call looks at a bounded part of all, going on where the last one stopped, and takes the longest idle of
 * that part: near enough, and no work for any record.
 */
export class LongestIdle {
  readonly #self: ShardRef;
  readonly #leases: LeaseView;
  readonly #units: UnitStore;
  /** Place in the table. */
  #cursor = 0;
  /** Leases below this epoch were granted long ago. */
  #unusedBelowEpoch = 0;
  #mark: { readonly epoch: number; readonly atMs: number } | null = null;

  constructor(self: ShardRef, leases: LeaseView, units: UnitStore) {
    this.#self = self;
    this.#leases = leases;
    this.#units = units;
  }

  /** Releases up to `max`, after looking at no more than `places` of the table and of the units held. */
  release(max: number, places: number, nowMs: number, steps: ReleaseSteps): void {
    const leases = this.#leases;
    this.#noteEpoch(nowMs);
    let left = max;
    this.#cursor = leases.visitSome(this.#cursor, places, (hi, lo) => {
      const { session, shard, epoch } = leases;
      if (left === 0 || session !== this.#self.session || shard !== this.#self.shard) return;
      if (epoch >= this.#unusedBelowEpoch || this.#units.get(hi, lo) !== null) return;
      left--;
      steps.closeUnclaimed(hi, lo, epoch);
    });
    for (const unit of longestIdle(this.#units.some(places), left)) steps.close(unit);
  }

  #noteEpoch(nowMs: number): void {
    if (this.#mark !== null && nowMs - this.#mark.atMs < unusedMs) return;
    this.#unusedBelowEpoch = this.#mark?.epoch ?? 0;
    this.#mark = { epoch: this.#leases.epochBase() + this.#leases.tableIndex(), atMs: nowMs };
  }
}

/** Up to `max` of the units that are open and that no record waits for, the longest idle first. */
export function longestIdle(units: Iterable<HeldUnit>, max: number): HeldUnit[] {
  const open: HeldUnit[] = [];
  for (const unit of units) if (unit.phase === 'open' && !unit.paused && unit.waiting === null) open.push(unit);
  return open.sort((a, b) => a.lastUsedMs - b.lastUsedMs).slice(0, max);
}
