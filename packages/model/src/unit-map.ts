import { assert } from './assert.ts';

/**
 * Units to small integers (slots of the caller's own arrays). Open addressing with linear probing over
 * typed arrays: no BigInt, no string, no object per unit. Deletion shifts back, so there are no tombstones.
 */
export class UnitMap {
  #hi: Uint32Array;
  #lo: Uint32Array;
  /** slot + 1; 0 is empty */
  #slot: Int32Array;
  #mask: number;
  #size = 0;

  constructor(capacity = 64) {
    let n = 16;
    while (n < capacity * 2) n *= 2;
    this.#hi = new Uint32Array(n);
    this.#lo = new Uint32Array(n);
    this.#slot = new Int32Array(n);
    this.#mask = n - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of a unit, or -1. */
  get(hi: number, lo: number): number {
    const mask = this.#mask;
    let i = hi & mask;
    for (;;) {
      const s = this.#slot[i]!;
      if (s === 0) return -1;
      if (this.#lo[i] === lo && this.#hi[i] === hi) return s - 1;
      i = (i + 1) & mask;
    }
  }

  set(hi: number, lo: number, slot: number): void {
    assert(slot >= 0 && slot < 0x7fffffff, `slot ${slot} is out of range`);
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#grow();
    const mask = this.#mask;
    let i = hi & mask;
    for (;;) {
      if (this.#slot[i] === 0) {
        this.#hi[i] = hi;
        this.#lo[i] = lo;
        this.#slot[i] = slot + 1;
        this.#size++;
        return;
      }
      if (this.#lo[i] === lo && this.#hi[i] === hi) {
        this.#slot[i] = slot + 1;
        return;
      }
      i = (i + 1) & mask;
    }
  }

  /** Removes a unit; false when it wasn't there. */
  delete(hi: number, lo: number): boolean {
    const mask = this.#mask;
    let i = hi & mask;
    for (;;) {
      if (this.#slot[i] === 0) return false;
      if (this.#lo[i] === lo && this.#hi[i] === hi) break;
      i = (i + 1) & mask;
    }
    let hole = i;
    for (let j = (i + 1) & mask; this.#slot[j] !== 0; j = (j + 1) & mask) {
      const home = this.#hi[j]! & mask;
      if (((j - home) & mask) >= ((j - hole) & mask)) {
        this.#hi[hole] = this.#hi[j]!;
        this.#lo[hole] = this.#lo[j]!;
        this.#slot[hole] = this.#slot[j]!;
        hole = j;
      }
    }
    this.#slot[hole] = 0;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#slot.fill(0);
    this.#size = 0;
  }

  #grow(): void {
    const { hi, lo, slot } = { hi: this.#hi, lo: this.#lo, slot: this.#slot };
    const n = (this.#mask + 1) * 2;
    this.#hi = new Uint32Array(n);
    this.#lo = new Uint32Array(n);
    this.#slot = new Int32Array(n);
    this.#mask = n - 1;
    this.#size = 0;
    for (let i = 0; i < slot.length; i++) if (slot[i] !== 0) this.set(hi[i]!, lo[i]!, slot[i]! - 1);
  }
}
