/** As Java's clients, which look afresh after `metadata.max.age.ms`. */
export const leaderAgeMsMax = 5 * 60_000;
/** Nothing but empty answers for so long, and it is asked again who leads. */
export const quietMsMax = 30_000;

/**
 * When a reader asks again who leads its partition, although the leader that it has answers. One that is cut off from
 * the controllers, but not from its readers, answers without error and without records, while others write to its
 * successor.
 */
export class LeaderAge {
  #lookedAtMs: number;
  /** Of the last records, or of the last look since. */
  #quietSinceMs: number;

  constructor(nowMs: number) {
    this.#lookedAtMs = nowMs;
    this.#quietSinceMs = nowMs;
  }

  answered(isEmpty: boolean, nowMs: number): void {
    if (!isEmpty) this.#quietSinceMs = nowMs;
  }

  looked(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    this.#quietSinceMs = nowMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#lookedAtMs + leaderAgeMsMax || nowMs >= this.#quietSinceMs + quietMsMax;
  }
}
