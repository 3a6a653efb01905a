import { stripVTControlCharacters } from 'node:util';

/** How large the terminal is now; 0 or undefined: it doesn't say. */
export interface TerminalSize {
  readonly columns?: number;
  readonly rows?: number;
}

const columnsDefault = 120;
const rowsMin = 5;

/** A block of lines on a terminal that is drawn over itself. */
export class Redraw {
  readonly #write: (text: string) => void;
  readonly #size: TerminalSize;
  #rows = 0;

  /** @param size looked at in each drawing */
  constructor(write: (text: string) => void, size: TerminalSize) {
    this.#write = write;
    this.#size = size;
  }

  draw(lines: readonly string[]): void {
    const width = Math.max(20, (this.#size.columns || columnsDefault) - 1);
    // A line that wraps would take two rows, and the next drawing would begin in the wrong one.
    const cut = this.#fitting(lines).map((line) => clip(line, width));
    this.#write(`${this.#up()}${cut.map((line) => `${line}\x1b[K\n`).join('')}`);
    this.#rows = cut.length;
  }

  /** Takes the block away, so that lines can be written in its place. */
  clear(): void {
    if (this.#rows > 0) this.#write(this.#up());
    this.#rows = 0;
  }

  /** What is scrolled out at the top can't be drawn over: it would stay there, once per drawing. */
  #fitting(lines: readonly string[]): readonly string[] {
    const rows = this.#size.rows ? Math.max(rowsMin, this.#size.rows - 1) : Number.POSITIVE_INFINITY;
    if (lines.length <= rows) return lines;
    const shown = rows - 2;
    return [...lines.slice(0, shown), `… ${lines.length - shown - 1} more lines`, lines.at(-1)!];
  }

  #up(): string {
    return this.#rows === 0 ? '' : `\x1b[${this.#rows}A\x1b[0J`;
  }
}

/** Characters from here on may take two cells (Hangul, CJK, emoji). That some take one or none leaves a gap, no wrap. */
const wideFrom = 0x1100;

function clip(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  let cells = 0;
  let fitting = 0;
  for (const character of plain) {
    cells += character.codePointAt(0)! < wideFrom || isNarrow(character) ? 1 : 2;
    if (cells > width) return `${plain.slice(0, fitting)}…`;
    if (cells < width) fitting += character.length;
  }
  return line;
}

/** Punctuation and drawings that this program writes itself. */
function isNarrow(character: string): boolean {
  return character >= '\u2000' && character <= '\u259f';
}
