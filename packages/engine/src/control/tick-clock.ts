import type { Timers } from '../ports/timers.ts';

/**
 * Ticks at an interval, and knows how late they come. However late, it is one tick: time in which this node stood still
 * says nothing about the others.
 */
export class TickClock {
  readonly #timers: Timers;
  readonly #tickMs: number;
  readonly #onTick: () => void;
  #count = 0;
  #dueMs = 0;
  #lateMs = 0;
  #cancel: () => void = () => {};

  constructor(timers: Timers, tickMs: number, onTick: () => void) {
    this.#timers = timers;
    this.#tickMs = tickMs;
    this.#onTick = onTick;
    this.#schedule();
  }

  /** Ticks so far. */
  get count(): number {
    return this.#count;
  }

  /** How late the last tick came, or the next one is by now, in ticks. */
  get lateRatio(): number {
    const overdueMs = Math.max(0, this.#timers.monotonicMs() - this.#dueMs);
    return Math.max(this.#lateMs, overdueMs) / this.#tickMs;
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#dueMs = this.#timers.monotonicMs() + this.#tickMs;
    this.#cancel = this.#timers.setTimer(this.#tickMs, () => {
      this.#lateMs = Math.max(0, this.#timers.monotonicMs() - this.#dueMs);
      this.#count++;
      this.#schedule();
      this.#onTick();
    });
  }
}
