/** What the last commit of a partition said, and when it was answered. */
export class LastCommit {
  #offset = -1;
  #generation = -1;
  #atMs = Number.NEGATIVE_INFINITY;

  note(offset: number, generation: number, nowMs: number): void {
    this.#offset = offset;
    this.#generation = generation;
    this.#atMs = nowMs;
  }

  /** Another reading begins: whatever it makes durable is committed. */
  forget(): void {
    this.note(-1, -1, Number.NEGATIVE_INFINITY);
  }

  /** Whether there is something to commit: news, or the same again once `againMs` have passed. */
  isDue(offset: number, generation: number, nowMs: number, againMs: number): boolean {
    return offset !== this.#offset || generation !== this.#generation || nowMs - this.#atMs >= againMs;
  }
}
