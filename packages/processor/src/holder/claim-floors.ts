import { bucketOf } from '@holdfast/model';
import type { PartitionBook } from '../partition-book.ts';
import type { HeldUnit } from './held-unit.ts';
import type { MarkerBook, StoredMarker } from './marker-book.ts';

/**
 * Markers that claims have returned (PROTOCOL.md 5.7). They count for the claimed unit at once, and for the others of its
 * bucket once the table shows what they rest on: of a unit that this holder has lost and doesn't know it yet, another
 * may have applied what lies below, and the next record would meet a state that lacks it.
 */
export class ClaimFloors {
  readonly #markers: MarkerBook;
  readonly #partitions: PartitionBook;
  /** With floors of their own, the oldest claim first. */
  #units: HeldUnit[] = [];
  /** What was ever added. */
  #added = 0;
  /** By bucket, as the last claim there has found them: the next one finds the same, mostly. */
  readonly #last = new Map<number, readonly number[]>();

  constructor(markers: MarkerBook, partitions: PartitionBook) {
    this.#markers = markers;
    this.#partitions = partitions;
  }

  /** How many claims have returned markers; null: none of them is for its unit alone. */
  get unsettled(): number | null {
    return this.#units.length === 0 ? null : this.#added;
  }

  /** A unit has been claimed. */
  add(unit: HeldUnit, markers: readonly StoredMarker[]): void {
    const bucket = bucketOf(unit.hi, unit.lo);
    const floors: number[] = [];
    for (const { partition, offset } of markers) {
      const slot = this.#partitions.slot(partition);
      if (offset <= this.#markers.floor(bucket, slot)) continue;
      while (floors.length <= slot) floors.push(0);
      floors[slot] = Math.max(floors[slot]!, offset);
    }
    if (floors.length === 0) return;
    const last = this.#last.get(bucket);
    if (last !== undefined && isSame(last, floors)) unit.floors = last;
    else this.#last.set(bucket, (unit.floors = floors));
    this.#units.push(unit);
    this.#added++;
  }

  /** The table shows all that was committed when `unsettled` was `upTo`, and the holder has been told of it. */
  settle(upTo: number): void {
    const first = this.#added - this.#units.length;
    for (const unit of this.#units.splice(0, Math.max(upTo - first, 0))) {
      const bucket = bucketOf(unit.hi, unit.lo);
      for (const [slot, offset] of unit.floors?.entries() ?? []) this.#markers.confirm(bucket, slot, offset);
      unit.floors = null;
    }
    this.#last.clear();
  }

  /** Of another generation, none of them says anything. */
  forget(): void {
    for (const unit of this.#units) unit.floors = null;
    this.#units = [];
    this.#last.clear();
  }
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((offset, slot) => offset === other[slot]);
}
