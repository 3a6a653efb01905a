import { stripVTControlCharacters } from 'node:util';

/** A block of lines on a terminal that is drawn over itself. */
export class Redraw {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  #rows = 0;

  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  draw(lines: readonly string[]): void {
    const width = Math.max(20, this.#columns() - 1);
    // A line that wraps would take two rows, and the next drawing would begin in the wrong one.
    const cut = lines.map((line) => (stripVTControlCharacters(line).length > width ? clip(line, width) : line));
    this.#write(`${this.#up()}${cut.map((line) => `${line}\x1b[K\n`).join('')}`);
    this.#rows = cut.length;
  }

  /** Takes the block away, so that lines can be written in its place. */
  clear(): void {
    if (this.#rows > 0) this.#write(this.#up());
    this.#rows = 0;
  }

  #up(): string {
    return this.#rows === 0 ? '' : `\x1b[${this.#rows}A\x1b[0J`;
  }
}

function clip(line: string, width: number): string {
  return `${stripVTControlCharacters(line).slice(0, width - 1)}…`;
}
