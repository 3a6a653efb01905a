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

/** What the promise says, or `late` when it says nothing in time. */
export function within<T>(timers: Timers, limitMs: number, promise: Promise<T>): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const cancel = timers.setTimer(limitMs, () => resolve('late'));
    promise.finally(cancel).then(resolve, reject);
  });
}
