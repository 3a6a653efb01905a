/** Randomness as an argument. */
export interface Rng {
  /** Unsigned 32-bit integer. */
  u32(): number;
}

/**
 * Seeded generator (sfc32 by Chris Doty-Humphrey, public domain algorithm): small, fast, passes PractRand.
 * The same seed gives the same numbers for ever; not for secrets.
 */
export class SeededRng implements Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 15; i++) this.u32();
  }

  u32(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }
}

/** Uniform in [0, 1), with 32 bits. */
export function randomRatio(rng: Rng): number {
  return rng.u32() / 2 ** 32;
}

/** Uniform integer in [0, bound); bound from 1 to 2^32. */
export function randomBelow(rng: Rng, bound: number): number {
  return Math.floor((rng.u32() / 2 ** 32) * bound);
}
