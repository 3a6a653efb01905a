/**
 * Nothing has waited for a holder for so long: it isn't missed any more. Longer than it takes to read again what went with
 * a stream that ended, since nothing waits in between; less than it takes to give partitions up.
 */
const forgottenAfterMs = 5_000;

/** Holders that records wait for and that have taken no stream, or none on which frames got there. */
export class UnreachedHolders {
  /** The last stream that they took ended with nothing back, though something waited. */
  readonly #fruitless = new Set<string>();
  /** Since when, and until when something was seen waiting. */
  readonly #waits = new Map<string, { readonly sinceMs: number; lastMs: number }>();

  /** Something waits for it now. Said again and again while it is so. */
  waited(key: string, nowMs: number): void {
    const wait = this.#waits.get(key);
    if (wait === undefined) this.#waits.set(key, { sinceMs: nowMs, lastMs: nowMs });
    else wait.lastMs = nowMs;
  }

  /** It has taken a stream. @returns whether that means that it is reached: else only a return does */
  accepted(key: string): boolean {
    if (this.#fruitless.has(key)) return false;
    this.#waits.delete(key);
    return true;
  }

  /** A stream that it took ended with nothing back. */
  endedFruitless(key: string): void {
    this.#fruitless.add(key);
  }

  /** A return of it has come, it needs none, or it is no more. */
  forget(key: string): void {
    this.#fruitless.delete(key);
    this.#waits.delete(key);
  }

  keys(): Iterable<string> {
    return new Set([...this.#waits.keys(), ...this.#fruitless]);
  }

  /** The longest wait, and for how long; null when there is none. What went elsewhere meanwhile counts no further. */
  longest(nowMs: number): { readonly key: string; readonly ms: number } | null {
    let longest: { key: string; ms: number } | null = null;
    for (const [key, { sinceMs, lastMs }] of this.#waits) {
      const ms = lastMs - sinceMs;
      if (nowMs - lastMs > forgottenAfterMs) this.#waits.delete(key);
      else if (longest === null || ms > longest.ms) longest = { key, ms };
    }
    return longest;
  }
}
