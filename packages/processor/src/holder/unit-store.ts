import { UnitMap } from '@holdfast/model';
import type { HeldUnit } from './held-unit.ts';

/** The units that a shard holds, by hash. */
export class UnitStore {
  readonly #map = new UnitMap(1024);
  readonly #units: (HeldUnit | null)[] = [];
  readonly #free: number[] = [];
  #cursor = 0;

  get size(): number {
    return this.#map.size;
  }

  get(hi: number, lo: number): HeldUnit | null {
    const slot = this.#map.get(hi, lo);
    return slot < 0 ? null : this.#units[slot]!;
  }

  add(unit: HeldUnit): void {
    const slot = this.#free.pop() ?? this.#units.length;
    this.#units[slot] = unit;
    this.#map.set(unit.hi, unit.lo, slot);
  }

  remove(unit: HeldUnit): void {
    const slot = this.#map.get(unit.hi, unit.lo);
    if (slot < 0 || this.#units[slot] !== unit) return;
    this.#map.delete(unit.hi, unit.lo);
    this.#units[slot] = null;
    this.#free.push(slot);
  }

  /** Whether this very unit (not a later one of the same hash) is held. */
  has(unit: HeldUnit): boolean {
    return this.get(unit.hi, unit.lo) === unit;
  }

  /** Up to `count` places of the store from where the last call stopped, over and over: for work that is spread thin. */
  *some(count: number): Iterable<HeldUnit> {
    const places = Math.min(count, this.#units.length);
    for (let i = 0; i < places; i++) {
      if (this.#cursor >= this.#units.length) this.#cursor = 0;
      const unit = this.#units[this.#cursor++]!;
      if (unit) yield unit;
    }
  }

  *[Symbol.iterator](): Iterator<HeldUnit> {
    for (const unit of this.#units) if (unit) yield unit;
  }
}
