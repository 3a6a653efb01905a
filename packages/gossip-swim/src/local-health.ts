/**
 * Knows when this process was too late to judge others.
 *
 * A process that was stopped or starved finds, when it comes back, all its probes overdue: by its own fault. So what it
 * concludes from probes begun before or during the stall is not believed; what it concludes from a round that began and
 * ended after it is. Idea: memberlist's awareness and Lifeguard, reduced to a yes or no.
 */
export class LocalHealth {
  readonly #beatMs: number;
  readonly #lateMaxMs: number;
  readonly #roundMs: number;
  #lastBeatMs: number;
  #trustFromMs: number;
  #stallCount = 0;

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

  beat(nowMs: number): void {
    if (this.#isLate(nowMs)) {
      this.#stallCount++;
      this.#trustFromMs = nowMs + this.#roundMs;
    }
    this.#lastBeatMs = nowMs;
  }

  /** Whether a verdict reached now may be believed. Right also before the late beat itself has run. */
  isTrusted(nowMs: number): boolean {
    return !this.#isLate(nowMs) && nowMs >= this.#trustFromMs;
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#lastBeatMs > this.#beatMs + this.#lateMaxMs;
  }
}
