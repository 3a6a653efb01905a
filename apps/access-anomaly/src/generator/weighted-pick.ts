/**
 * Picks indexes by weight in constant time (Vose's alias method, 1991): one random number chooses a column, and how far
 * into the column it lands chooses between the column and its alias.
 */
export class WeightedPick {
  readonly #keep: Float64Array;
  readonly #alias: Uint32Array;

  /** @param weights positive, at least one */
  constructor(weights: ArrayLike<number>) {
    const n = weights.length;
    this.#keep = new Float64Array(n).fill(1);
    this.#alias = new Uint32Array(n);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += weights[i]!;
    const scaled = Float64Array.from(weights, (weight) => (weight * n) / sum);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < n; i++) (scaled[i]! < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const low = small.pop()!;
      const high = large.pop()!;
      this.#keep[low] = scaled[low]!;
      this.#alias[low] = high;
      scaled[high] = scaled[high]! + scaled[low]! - 1;
      (scaled[high]! < 1 ? small : large).push(high);
    }
  }

  /** @param ratio uniform in [0, 1) */
  pick(ratio: number): number {
    const at = ratio * this.#keep.length;
    const column = Math.floor(at);
    return at - column < this.#keep[column]! ? column : this.#alias[column]!;
  }
}
