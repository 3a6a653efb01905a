import type { Clock } from '@holdfast/model';

/** Time for driver loops: a clock, and calls to come. Adapters: the process's timers, and the virtual time of tests. */
export interface Timers extends Clock {
  /**
   * Calls `fn` once, `delayMs` from now or later, never from within this call.
   * @returns cancels it; a no-op after it ran
   */
  setTimer(delayMs: number, fn: () => void): () => void;
}

/** Resolves after `delayMs`. */
export function delay(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.setTimer(delayMs, resolve);
  });
}
