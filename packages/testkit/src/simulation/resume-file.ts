import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { SeedReport } from './seed-worker.ts';

/** The file can't be gone on with. */
export class ResumeFileError extends Error {
  override readonly name = 'ResumeFileError';
}

type Noted = Pick<SeedReport, 'seed' | 'failure' | 'result' | 'twice'>;

/**
 * Remembers which seeds of a long run are done, a line each, so that the run goes on after an interruption: with the same
 * code, which the file's first line names.
 */
export class ResumeFile {
  readonly #path: string;
  readonly done = new Map<number, Noted>();

  /** @throws ResumeFileError when the file is of another run, or of other code */
  constructor(path: string, run: { readonly profile: string; readonly first: number; readonly code: string }) {
    this.#path = path;
    const head = JSON.stringify(run);
    if (!existsSync(path)) {
      writeFileSync(path, `${head}\n`);
      return;
    }
    const [found, ...lines] = readFileSync(path, 'utf8').split('\n');
    if (found !== head) throw new ResumeFileError(`${path} is of ${found}, this run is of ${head}: name another file`);
    for (const line of lines) {
      const noted = parsed(line);
      if (noted !== null) this.done.set(noted.seed, noted);
    }
  }

  note({ seed, failure, result, twice }: SeedReport): void {
    appendFileSync(this.#path, `${JSON.stringify({ seed, failure, result, twice } satisfies Noted)}\n`);
  }
}

/** The last line may be cut: its seed runs again. */
function parsed(line: string): Noted | null {
  try {
    return JSON.parse(line) as Noted;
  } catch {
    return null;
  }
}
