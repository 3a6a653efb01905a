const windowBits = 1024;

/**
 * Which of a sender's counters were seen: those of the last 1,024. Older ones count as seen, so a datagram passes once,
 * however long it was on its way. 1,024 is more than what a node sends another in a minute.
 * Source: RFC 4303, 3.4.3 (IPsec's anti-replay window)
 */
export class ReplayWindow {
  readonly #bits = new Uint32Array(windowBits / 32);
  #highest = -1;

  /** @returns false when it was seen before, or may have been */
  take(counter: number): boolean {
    if (counter > this.#highest) this.#moveTo(counter);
    else if (counter <= this.#highest - windowBits) return false;
    const at = counter % windowBits;
    const bit = 2 ** (at % 32);
    const word = this.#bits[at >> 5]!;
    if ((word & bit) !== 0) return false;
    this.#bits[at >> 5] = word | bit;
    return true;
  }

  #moveTo(counter: number): void {
    // The first one says where to begin: what was sent before it can't be told from a replay.
    if (this.#highest < 0) this.#bits.fill(0xffff_ffff);
    const from = this.#highest < 0 ? counter : this.#highest + 1;
    if (counter - from >= windowBits) this.#bits.fill(0);
    else for (let i = from; i <= counter; i++) this.#bits[(i % windowBits) >> 5]! &= ~(2 ** ((i % windowBits) % 32));
    this.#highest = counter;
  }
}
