import { crc32 } from 'node:zlib';

const lineFeed = 0x0a;

/** CRC-32 of what is fed of an input, which is read in chunks: what is behind the last LF is not fed yet. */
export class FedSum {
  #fed: number;
  #read: number;

  /** @param before of what was fed already */
  constructor(before: number) {
    this.#fed = this.#read = before;
  }

  get value(): number {
    return this.#fed;
  }

  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) this.#fed = this.#read = crc32(chunk.subarray(0, end), this.#read);
    this.#read = crc32(chunk.subarray(end), this.#read);
  }

  /** The input has ended: its last line is one without LF. */
  end(): void {
    this.#fed = this.#read;
  }
}
