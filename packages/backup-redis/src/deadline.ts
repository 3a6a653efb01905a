/** A moment, and what to do until then. Monotonic. */
export class Deadline {
  readonly #afterMs: number;
  #endMs: number;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
    this.#endMs = performance.now() + afterMs;
  }

  /** Something has come of it: as long again. */
  renew(): void {
    this.#endMs = performance.now() + this.#afterMs;
  }

  get passed(): boolean {
    return performance.now() >= this.#endMs;
  }

  /** Waits, but not beyond the deadline. */
  async wait(ms: number): Promise<void> {
    const restMs = Math.max(0, Math.min(ms, this.#endMs - performance.now()));
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

/** Waits between tries: each twice as long as the one before, with a bound. */
export function backoffMs(tries: number, firstMs: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(tries, 20), maxMs);
}
