import { bucketOf } from '@holdfast/model';
import type { ClaimFloors } from './claim-floors.ts';
import type { ClosingUnits } from './closing-units.ts';
import type { HeldUnit } from './held-unit.ts';
import type { MarkerBook } from './marker-book.ts';
import type { Rounds } from './rounds.ts';
import type { SealedUnits } from './sealed-units.ts';
import type { UnitStore } from './unit-store.ts';
import type { WaitingRecords } from './waiting-records.ts';
import type { ClaimWish } from './wishes.ts';

export interface GenerationParts {
  readonly units: UnitStore;
  readonly markers: MarkerBook;
  readonly claimFloors: ClaimFloors;
  readonly rounds: Rounds;
  readonly closing: ClosingUnits;
  readonly sealed: SealedUnits;
  readonly waiting: WaitingRecords;
}

/**
 * The store is another one: all that was told of the one before is void, and every unit is to be written to this one
 * (PROTOCOL.md 5.8). Returns the claims to make (again).
 */
export function beginGeneration(
  { units, markers, claimFloors, rounds, closing, sealed, waiting }: GenerationParts,
  nowMs: number,
): ClaimWish[] {
  const claims: ClaimWish[] = [];
  rounds.void();
  for (const unit of units) {
    unit.needVersion = 0;
    unit.flyingVersion = -1;
    // The queue that would have resumed it is gone with the round. What waits was sent before the entry: it is void (4.2).
    if (unit.paused) {
      unit.paused = false;
      waiting.giveBack(unit);
    }
    if (unit.rowless && unit.phase === 'open') sealed.open(unit);
    if (unit.phase === 'claiming') {
      claims.push({ hi: unit.hi, lo: unit.lo, epoch: unit.epoch });
      continue;
    }
    if (unit.rowless) continue;
    // The floor goes with the markers, but what it stood for is in the state: write it down first.
    for (const { slot, offset } of markers.floors(bucketOf(unit.hi, unit.lo))) writeDown(unit, slot, offset);
    for (const [slot, offset] of unit.floors?.entries() ?? []) writeDown(unit, slot, offset);
    rounds.changed(unit, nowMs);
    if (unit.phase !== 'open' && unit.phase !== 'faulty') closing.reopenWriting(unit);
  }
  markers.forget();
  claimFloors.forget();
  return claims;
}

function writeDown(unit: HeldUnit, slot: number, floor: number): void {
  if (floor - 1 > unit.appliedOffset(slot)) unit.setApplied(slot, floor - 1);
}
