/** How finely times are told apart: bounds how many marks are kept. */
const markEveryMs = 1_000;

/**
 * What a table has to show by now: the index that was known as committed a while ago. A node whose table stands still
 * below it gets no log, however well it is heard: it can't hold, since frames of others name entries that it waits for.
 */
export class TableFloor {
  readonly #lagMsMax: number;
  /** Ascending in both; the first is the floor once it is old enough. */
  readonly #marks: { readonly atMs: number; readonly index: number }[] = [];

  /** @param lagMsMax how far a table may be behind */
  constructor(lagMsMax: number) {
    this.#lagMsMax = lagMsMax;
  }

  /** By now everything up to `index` is committed. */
  note(nowMs: number, index: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || (index > last.index && nowMs >= last.atMs + markEveryMs)) {
      this.#marks.push({ atMs: nowMs, index });
    }
    this.#dropOld(nowMs);
  }

  /** The least index that a table may be at; 0 while nothing known is old enough. */
  at(nowMs: number): number {
    this.#dropOld(nowMs);
    const first = this.#marks[0];
    return first !== undefined && this.#isOld(first.atMs, nowMs) ? first.index : 0;
  }

  #dropOld(nowMs: number): void {
    while (this.#marks.length > 1 && this.#isOld(this.#marks[1]!.atMs, nowMs)) this.#marks.shift();
  }

  #isOld(atMs: number, nowMs: number): boolean {
    return nowMs - atMs >= this.#lagMsMax;
  }
}
