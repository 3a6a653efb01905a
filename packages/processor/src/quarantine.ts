import { type PartitionId, UnitMap } from '@holdfast/model';

/** A unit whose records aren't shown to the job (PROTOCOL.md 6.3). */
export interface QuarantinedUnit {
  readonly hi: number;
  readonly lo: number;
  /** Null: all its records. After its release: those below these offsets, which came before. */
  readonly before: OffsetsBefore | null;
}

export interface OffsetsBefore {
  /** 0 for a partition that it doesn't know. */
  offsetOf(partition: PartitionId): number;
}

/** The quarantined units as this shard knows them. Nearly always empty. */
export class Quarantine {
  /** Of the entry up to which it is known. */
  index = 0;
  readonly #places = new UnitMap();
  /** By place; null: all records. */
  #before: (OffsetsBefore | null)[] = [];

  /** The whole list as of that entry, in place of the one before. */
  set(units: readonly QuarantinedUnit[], index: number): void {
    this.index = index;
    this.#places.clear();
    this.#before = units.map(({ hi, lo, before }, place) => {
      this.#places.set(hi, lo, place);
      return before;
    });
  }

  /** Whether none of its records is shown to the job, whatever they are. */
  hasAll(hi: number, lo: number): boolean {
    const place = this.#before.length === 0 ? -1 : this.#places.get(hi, lo);
    return place >= 0 && this.#before[place] === null;
  }

  has(hi: number, lo: number, partition: PartitionId, offset: number): boolean {
    if (this.#before.length === 0) return false;
    const place = this.#places.get(hi, lo);
    if (place < 0) return false;
    const before = this.#before[place]!;
    return before === null || offset < before.offsetOf(partition);
  }
}
