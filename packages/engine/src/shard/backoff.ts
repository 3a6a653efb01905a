import { delay, type Timers } from '../ports/timers.ts';

/**
 * Repeats `work` until it succeeds or `stopped()` says so; waits between tries, doubling up to `maxMs`.
 * For broken environments only (a store or log that is away): what is refused is an answer, not a failure.
 * @returns null when it was stopped
 */
export async function untilItWorks<T>(
  timers: Timers,
  work: () => Promise<T>,
  onFailure: (error: unknown, tries: number, retryInMs: number) => void,
  stopped: () => boolean,
  firstMs = 50,
  maxMs = 2_000,
): Promise<T | null> {
  for (let tries = 1, waitMs = firstMs; ; tries++, waitMs = Math.min(waitMs * 2, maxMs)) {
    if (stopped()) return null;
    try {
      return await work();
    } catch (error) {
      onFailure(error, tries, waitMs);
      if (stopped()) return null;
      await delay(timers, waitMs);
    }
  }
}
