/** Some milliseconds to sort. */
const runLengthDefault = 5_000;

/**
 * Puts items in order without standing still for longer than a run of them takes to sort: a run is sorted as soon as it
 * is full, and the runs are merged while what is in them is taken.
 */
export class SortedRuns<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #runLength: number;
  readonly #runs: T[][] = [];
  #last: T[] = [];

  constructor(compare: (a: T, b: T) => number, runLength = runLengthDefault) {
    this.#compare = compare;
    this.#runLength = runLength;
  }

  add(item: T): void {
    this.#last.push(item);
    if (this.#last.length === this.#runLength) this.#endRun();
  }

  /** Once, after the last `add`: all items in order. */
  *inOrder(): Generator<T> {
    this.#endRun();
    const heads = this.#runs.map((run) => ({ run, at: 0 }));
    // A heap: no head is before that of its parent, at (i - 1) / 2.
    const isBefore = (a: number, b: number): boolean => {
      const [x, y] = [heads[a]!, heads[b]!];
      return this.#compare(x.run[x.at]!, y.run[y.at]!) < 0;
    };
    const sink = (from: number): void => {
      for (let i = from; ; ) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < heads.length && isBefore(child, least)) least = child;
        if (least === i) return;
        [heads[i], heads[least]] = [heads[least]!, heads[i]!];
        i = least;
      }
    };
    for (let i = heads.length >> 1; i >= 0; i--) sink(i);
    while (heads.length > 0) {
      const head = heads[0]!;
      yield head.run[head.at]!;
      if (++head.at === head.run.length) {
        const last = heads.pop()!;
        if (heads.length > 0) heads[0] = last;
      }
      sink(0);
    }
  }

  #endRun(): void {
    if (this.#last.length === 0) return;
    this.#runs.push(this.#last.sort(this.#compare));
    this.#last = [];
  }
}
