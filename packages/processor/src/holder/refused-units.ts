import { UnitMap } from '@holdfast/model';

/**
 * Units that a stream's holder refuses until the sender shows that it saw the refusal (PROTOCOL.md 4.3). Refusals are
 * numbered as far as a stream lives, so their numbers are kept apart from the map, whose values are small.
 */
export class RefusedUnits {
  readonly #places = new UnitMap(16);
  /** Number of the last refusal of the unit at each place. */
  readonly #numbers: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  /** @param number not below an earlier one's */
  refuse(hi: number, lo: number, number: number): void {
    const place = this.#places.get(hi, lo);
    if (place >= 0) this.#numbers[place] = number;
    else {
      this.#places.set(hi, lo, this.#numbers.length);
      this.#numbers.push(number);
    }
  }

  /** Number of the last refusal of a unit; 0 when it isn't refused. */
  last(hi: number, lo: number): number {
    const place = this.size === 0 ? -1 : this.#places.get(hi, lo);
    return place < 0 ? 0 : this.#numbers[place]!;
  }

  clear(): void {
    if (this.size === 0) return;
    this.#places.clear();
    this.#numbers.length = 0;
  }
}
