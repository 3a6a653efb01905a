import type { Timers } from '@holdfast/engine';

/** Virtual time: `pass` runs what is due, and leaps over the hours in which the shard only ticks. */
export class LeapingTime implements Timers {
  #nowMs = 0;
  readonly #due = new Set<{ atMs: number; fn: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallUnixMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, fn };
    this.#due.add(timer);
    return () => void this.#due.delete(timer);
  }

  leap(ms: number): void {
    this.#nowMs += ms;
  }

  async pass(ms: number): Promise<void> {
    for (const endMs = this.#nowMs + ms; ; ) {
      await new Promise(setImmediate);
      const [next] = [...this.#due].sort((a, b) => a.atMs - b.atMs);
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = Math.max(this.#nowMs, endMs);
        return;
      }
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fn();
    }
  }
}
