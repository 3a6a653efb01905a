/** A moment, and what to do until then. Monotonic. */
export class Deadline {
  readonly #endMs: number;

  constructor(afterMs: number) {
    this.#endMs = performance.now() + afterMs;
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
