const words = 128;

/**
 * Says of most units that a frame has none of their records, without looking through the frame: one bit of 4,096 per
 * unit. After a loss thousands of parked units are each held against all that is under way.
 */
export class UnitFilter {
  readonly #bits = new Uint32Array(words);

  note(lo: number): void {
    this.#bits[(lo >>> 5) % words]! |= 1 << (lo & 31);
  }

  /** False: the unit with this low half was never noted. True: it may have been. */
  mayHave(lo: number): boolean {
    return (this.#bits[(lo >>> 5) % words]! & (1 << (lo & 31))) !== 0;
  }
}
