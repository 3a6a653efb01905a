import type { Timers } from '@holdfast/engine';

/** Two readings of clocks this close are of one moment. */
const sameMomentMs = 0.05;
const looksMax = 32;

/**
 * The present thread's moment 0 on a clock that all threads of the machine share. The thread may stand still between the
 * readings of the two clocks, for as long as a busy machine likes: of several looks the quickest counts.
 */
function threadZeroMs(): number {
  let zeroMs = 0;
  let quickestMs = Number.POSITIVE_INFINITY;
  for (let look = 0; look < looksMax && quickestMs > sameMomentMs; look++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before >= quickestMs) continue;
    quickestMs = after - before;
    zeroMs = shared - (before + after) / 2;
  }
  return zeroMs;
}

/** The longest delay that Node.js takes, about 25 days: a longer one it makes 1 ms. */
const delayMsMax = 2 ** 31 - 1;

/** The process's own time. A delay of 0 is the next turn of the event loop, not a millisecond. */
export class NodeTimers implements Timers {
  readonly #offsetMs: number;
  /** What counts as moment 0, for another thread that is to mean the same by its times. */
  readonly zeroMs: number;

  /** @param zeroMs another thread's; without it, this thread's own, which is that of `performance.now` */
  constructor(zeroMs?: number) {
    const ownZeroMs = threadZeroMs();
    this.zeroMs = zeroMs ?? ownZeroMs;
    this.#offsetMs = zeroMs === undefined ? 0 : ownZeroMs - zeroMs;
  }

  monotonicMs(): number {
    return performance.now() + this.#offsetMs;
  }

  wallUnixMs(): number {
    return Date.now();
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    if (delayMs <= 0) {
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    if (delayMs > delayMsMax) {
      let cancel = this.setTimer(delayMsMax, () => {
        cancel = this.setTimer(delayMs - delayMsMax, fn);
      });
      return () => cancel();
    }
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  }
}
