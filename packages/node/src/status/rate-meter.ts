/** Rates from totals: sample at a steady pace, read the rate over the last few samples. */
export class RateMeter {
  readonly #windowMs: number;
  readonly #samples: { readonly atMs: number; readonly total: number }[] = [];

  /** @param windowMs how far back a rate looks */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  sample(atMs: number, total: number): void {
    const last = this.#samples.at(-1);
    // A counter that fell began anew.
    if (last !== undefined && (total < last.total || atMs < last.atMs)) this.#samples.length = 0;
    this.#samples.push({ atMs, total });
    while (this.#samples.length > 2 && atMs - this.#samples[1]!.atMs >= this.#windowMs) this.#samples.shift();
  }

  /** Per second; null before there are two samples. */
  get perSec(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
    return ((last.total - first.total) * 1000) / (last.atMs - first.atMs);
  }
}
