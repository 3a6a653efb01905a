/** I21: no process takes more memory than it may. */
export class MemoryBound {
  readonly #max: number;
  readonly #report: (text: string) => void;
  most = 0;
  #told = false;

  constructor(max: number, report: (text: string) => void) {
    this.#max = max;
    this.#report = report;
  }

  look(rssBytes: number): void {
    this.most = Math.max(this.most, rssBytes);
    if (rssBytes <= this.#max || this.#told) return;
    this.#told = true;
    this.#report(
      `I21: a process has ${Math.round(rssBytes / 2 ** 20)} MiB, ${Math.round(this.#max / 2 ** 20)} are its limit`,
    );
  }
}
