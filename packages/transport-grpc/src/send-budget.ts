/**
 * Counts the bytes that a stream has taken but not yet handed to its connection. gRPC streams count messages, so their
 * own high-water mark would let sixteen frames of any size wait; and bytes are what memory is made of.
 */
export class SendBudget {
  readonly #highWaterBytes: number;
  readonly #bytesMax: number;
  #bytes = 0;
  #full = false;

  constructor(highWaterBytes: number, bytesMax: number) {
    this.#highWaterBytes = highWaterBytes;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the hard limit is passed: the stream's user ignores back pressure. */
  get exceeded(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** Counts what was taken; false when the high-water mark is reached. */
  take(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes >= this.#highWaterBytes) this.#full = true;
    return !this.#full;
  }

  /** Counts what has left; true when it is time to say that more may be sent (half the mark, so that both sides work in runs). */
  release(bytes: number): boolean {
    this.#bytes -= bytes;
    if (!this.#full || this.#bytes > this.#highWaterBytes / 2) return false;
    this.#full = false;
    return true;
  }
}
