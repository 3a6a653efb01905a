/** One line of the input, without its end. */
export interface Line {
  readonly value: Uint8Array;
  /** What it takes in the input, its end included. */
  readonly bytes: number;
  /** Longer than the cap, and cut there. */
  readonly truncated: boolean;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts bytes into lines at LF; a CR before it goes too. The last line needs no end. Of a line longer than `lineBytesCap`
 * only that much is ever held.
 */
export class LineSplitter {
  readonly #lineBytesCap: number;
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Of the line begun, whether kept or not. */
  #lineBytes = 0;

  constructor(lineBytesCap: number) {
    this.#lineBytesCap = lineBytesCap;
  }

  /** The lines that end in the chunk. They may share its memory. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      if (end < 0) break;
      this.#keep(chunk.subarray(start, end));
      lines.push(this.#finish(1));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(Buffer.from(chunk.subarray(start)));
    return lines;
  }

  /** The line that the input ended in, if it didn't end with LF. */
  end(): Line | null {
    return this.#lineBytes === 0 ? null : this.#finish(0);
  }

  #keep(part: Buffer): void {
    this.#lineBytes += part.length;
    const room = this.#lineBytesCap + 1 - this.#partBytes;
    if (part.length === 0 || room <= 0) return;
    const kept = part.length > room ? part.subarray(0, room) : part;
    this.#parts.push(kept);
    this.#partBytes += kept.length;
  }

  #finish(endBytes: number): Line {
    const bytes = this.#lineBytes + endBytes;
    let value = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    const whole = value.length === this.#lineBytes;
    if (whole && endBytes > 0 && value[value.length - 1] === carriageReturn) value = value.subarray(0, -1);
    const truncated = value.length > this.#lineBytesCap;
    if (truncated) value = value.subarray(0, this.#lineBytesCap);
    this.#parts = [];
    this.#partBytes = 0;
    this.#lineBytes = 0;
    return { value, bytes, truncated };
  }
}
