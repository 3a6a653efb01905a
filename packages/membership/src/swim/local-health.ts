const scoreMax = 7;

/**
 * What a node knows of its own fitness to judge others, in two ways.
 *
 * **On time or not.** A process that was stopped or starved finds, when it comes back, all its probes overdue: by its own
 * fault. What it concludes in a stall or within a probe's time after it is not believed.
 *
 * **Score.** 0 is well. Failed probes that no relay accounts for, and accusations to refute, raise it; probes that succeed
 * lower it. Timeouts are stretched by it, so that a node that is slow, or whose network is, asks longer before it accuses.
 * Source: Lifeguard paper, 3.1 (local health multiplier)
 */
export class LocalHealth {
  readonly #beatMs: number;
  readonly #lateMaxMs: number;
  readonly #roundMs: number;
  #lastBeatMs: number;
  #trustFromMs: number;
  #stallCount = 0;
  #score = 0;

  /**
   * @param beatMs how often `beat` is to be called
   * @param lateMaxMs by how much it may be late
   * @param roundMs the longest time from a probe's begin to its verdict
   */
  constructor(beatMs: number, lateMaxMs: number, roundMs: number, nowMs: number) {
    this.#beatMs = beatMs;
    this.#lateMaxMs = lateMaxMs;
    this.#roundMs = roundMs;
    this.#lastBeatMs = nowMs;
    this.#trustFromMs = nowMs;
  }

  get stallCount(): number {
    return this.#stallCount;
  }

  /** Times are to be multiplied by it: 1 to 8. */
  get factor(): number {
    return 1 + this.#score;
  }

  improve(): void {
    this.#score = Math.max(0, this.#score - 1);
  }

  worsen(): void {
    this.#score = Math.min(scoreMax, this.#score + 1);
  }

  /** @returns by how much it came later than it may; 0 when it was on time */
  beat(nowMs: number): number {
    const lateMs = this.#isLate(nowMs) ? nowMs - this.#lastBeatMs - this.#beatMs : 0;
    if (lateMs > 0) {
      this.#stallCount++;
      this.#trustFromMs = nowMs + this.#roundMs;
    }
    this.#lastBeatMs = nowMs;
    return lateMs;
  }

  /** Whether a verdict reached now may be believed. Right also before the late beat itself has run. */
  isTrusted(nowMs: number): boolean {
    return !this.#isLate(nowMs) && nowMs >= this.#trustFromMs;
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#lastBeatMs > this.#beatMs + this.#lateMaxMs;
  }
}
