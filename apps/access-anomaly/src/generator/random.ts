/**
 * Seeded randomness of the generator (mulberry32, a public domain algorithm by Tommy Ettinger): one multiplication
 * more than nothing, since generating must be faster than what it feeds.
 */
export class GeneratorRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32)) | 0;
  }

  /** Uniform in [0, 1). */
  ratio(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(bound: number): number {
    return Math.floor(this.ratio() * bound);
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.ratio())) * Math.cos(2 * Math.PI * this.ratio());
  }
}
