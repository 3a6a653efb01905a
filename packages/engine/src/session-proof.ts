/**
 * Until when a session may be acted on, in memory that the control thread writes and its shards read. A process that was
 * stopped for long wakes up with all its threads at once: its shards must not act before the control thread has looked at
 * the clock, so they look themselves. All threads of a process have one clock.
 */
export class SessionProof {
  readonly buffer: SharedArrayBuffer;
  readonly #untilMs: Float64Array;

  /** Without a buffer, a new one: nothing is proven. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
    this.#untilMs = new Float64Array(this.buffer);
    if (buffer === undefined) this.end();
  }

  /** A proof that lasts longer; an answer to an older request changes nothing. */
  extend(untilMs: number): void {
    this.#untilMs[0] = Math.max(this.#untilMs[0]!, untilMs);
  }

  /** The session is over. */
  end(): void {
    this.#untilMs[0] = Number.NEGATIVE_INFINITY;
  }

  holds(nowMs: number): boolean {
    return nowMs < this.#untilMs[0]!;
  }
}
