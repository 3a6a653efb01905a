/**
 * An offset that doesn't change is committed again after so long, after twice that, and so on: an earlier request whose
 * answer nobody waited for may be carried out late, and a log that can't fence takes it for the newest. Also of a reader
 * of before.
 */
export const commitAgainMsMin = 10_000;
/** At most: Kafka forgets offsets of a group without members after seven days, and after one at the least that anybody sets. */
export const commitAgainMsMax = 12 * 60 * 60 * 1_000;

/** What the last commit of a partition said, and when it is to be said again. */
export class LastCommit {
  #offset = -1;
  #generation = -1;
  #againMs = 0;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** It was answered. */
  note(offset: number, generation: number, nowMs: number): void {
    const isSame = offset === this.#offset && generation === this.#generation;
    this.#againMs = isSame ? Math.min(2 * this.#againMs, commitAgainMsMax) : commitAgainMsMin;
    this.#offset = offset;
    this.#generation = generation;
    this.#dueMs = nowMs + this.#againMs;
  }

  /** Another reading begins: whatever it makes durable is committed. */
  forget(): void {
    this.#offset = -1;
  }

  /** Whether there is something to commit: news, or the same again. */
  isDue(offset: number, generation: number, nowMs: number): boolean {
    return offset !== this.#offset || generation !== this.#generation || nowMs >= this.#dueMs;
  }
}
