import type { Timers } from '@holdfast/engine';

/** The process's own time. A delay of 0 is the next turn of the event loop, not a millisecond. */
export class NodeTimers implements Timers {
  monotonicMs(): number {
    return performance.now();
  }

  wallUnixMs(): number {
    return Date.now();
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    if (delayMs <= 0) {
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  }
}
