/** Frames of one partition, one after the other on a stream, that count as durable once the last of them is. */
interface Run {
  /** Number of the last. */
  frame: number;
  /** Least offset of their records. */
  firstOffset: number;
  frames: number;
}

/**
 * Frames of one partition that one holder has settled and not reported durable. While its store is away they come without
 * end, so neighbours are joined into runs: of n frames, none into one of more than 4n / `runsMax`. What is durable is known
 * no later than that many frames after it could be, and never too early (PROTOCOL.md 5.5).
 */
export class UndurableFrames {
  readonly #runsMax: number;
  /** Oldest first. */
  #runs: Run[] = [];

  constructor(runsMax: number) {
    this.#runsMax = runsMax;
  }

  get runs(): number {
    return this.#runs.length;
  }

  /** Least offset of what is not known durable; Infinity for nothing. */
  get leastOffset(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { firstOffset } of this.#runs) if (firstOffset < least) least = firstOffset;
    return least;
  }

  /** @param frame its number: above those of all that were added before */
  add(frame: number, firstOffset: number): void {
    if (this.#runs.length >= this.#runsMax) this.#join();
    this.#runs.push({ frame, firstOffset, frames: 1 });
  }

  /** All frames up to this one are durable. */
  markDurable(frame: number): void {
    let n = 0;
    while (n < this.#runs.length && this.#runs[n]!.frame <= frame) n++;
    this.#runs.splice(0, n);
  }

  /** Of any two neighbours that are left, more than 4n / `runsMax` frames come together: so about half of the runs are. */
  #join(): void {
    let total = 0;
    for (const { frames } of this.#runs) total += frames;
    const framesMax = (4 * total) / this.#runsMax;
    const joined: Run[] = [];
    let last: Run | undefined;
    for (const run of this.#runs) {
      if (last !== undefined && last.frames + run.frames <= framesMax) {
        last.frame = run.frame;
        last.firstOffset = Math.min(last.firstOffset, run.firstOffset);
        last.frames += run.frames;
      } else joined.push((last = run));
    }
    this.#runs = joined;
  }
}
