import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** The file can't be gone on with. */
export class JsonLinesError extends Error {
  override readonly name = 'JsonLinesError';
}

/**
 * A file that grows by a line of JSON at a time, so that what was written is there after an interruption. The line that
 * this has cut is ended before the next one is written, and is no value.
 */
export class JsonLines {
  readonly #path: string;
  /** What the file had at first, in order. */
  readonly earlier: readonly object[];

  /** @throws JsonLinesError when the file can't be read and written, also before there is anything to write */
  constructor(path: string) {
    this.#path = path;
    try {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      appendFileSync(path, text === '' || text.endsWith('\n') ? '' : '\n');
      this.earlier = text.split('\n').flatMap(parsed);
    } catch (error) {
      throw new JsonLinesError(`${path} can't be used: ${(error as Error).message}`, { cause: error });
    }
  }

  add(value: object): void {
    appendFileSync(this.#path, `${JSON.stringify(value)}\n`);
  }
}

function parsed(line: string): object[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? [value] : [];
  } catch {
    return [];
  }
}
