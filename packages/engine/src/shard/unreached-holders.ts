/**
 * Nothing has waited for a holder for so long: it isn't missed any more. Longer than it takes to read again what went with
 * a stream that ended, since nothing waits in between; less than it takes to give partitions up.
 */
const forgottenAfterMs = 5_000;

/** Holders that records wait for and that have taken no stream. */
export class UnreachedHolders {
  /** Since when, and until when something was seen waiting. */
  readonly #waits = new Map<string, { readonly sinceMs: number; lastMs: number }>();

  /** Something waits for it now. Said again and again while it is so. */
  waited(key: string, nowMs: number): void {
    const wait = this.#waits.get(key);
    if (wait === undefined) this.#waits.set(key, { sinceMs: nowMs, lastMs: nowMs });
    else wait.lastMs = nowMs;
  }

  /** It has taken a stream, or is no more. */
  forget(key: string): void {
    this.#waits.delete(key);
  }

  keys(): Iterable<string> {
    return [...this.#waits.keys()];
  }

  /** How long the longest wait has lasted; 0 when there is none. What went elsewhere meanwhile counts no further. */
  longestMs(nowMs: number): number {
    let longest = 0;
    for (const [key, { sinceMs, lastMs }] of this.#waits) {
      if (nowMs - lastMs > forgottenAfterMs) this.#waits.delete(key);
      else longest = Math.max(longest, lastMs - sinceMs);
    }
    return longest;
  }
}
