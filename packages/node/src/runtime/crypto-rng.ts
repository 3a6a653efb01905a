import { randomFillSync } from 'node:crypto';
import type { Rng } from '@holdfast/model';

/** Randomness of the operating system, in blocks. */
export class CryptoRng implements Rng {
  readonly #block = new Uint32Array(64);
  #at = 64;

  u32(): number {
    if (this.#at === this.#block.length) {
      randomFillSync(this.#block);
      this.#at = 0;
    }
    return this.#block[this.#at++]!;
  }
}
