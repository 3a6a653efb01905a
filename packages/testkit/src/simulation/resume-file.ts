import { existsSync, statSync } from 'node:fs';
import { JsonLines, JsonLinesError } from './json-lines.ts';
import type { SeedReport } from './seed-worker.ts';

type Noted = Pick<SeedReport, 'seed' | 'failure' | 'result' | 'twice'>;

/**
 * Remembers which seeds of a long run are done, a line each, so that the run goes on after an interruption: with the same
 * code, which the file's first line names.
 */
export class ResumeFile {
  readonly #lines: JsonLines;
  readonly done = new Map<number, Noted>();

  /** @throws JsonLinesError when the file can't be used, or is of another run, or of other code */
  constructor(path: string, run: { readonly profile: string; readonly first: number; readonly code: string }) {
    const isNew = !existsSync(path) || statSync(path).size === 0;
    this.#lines = new JsonLines(path);
    const head = JSON.stringify(run);
    if (isNew) {
      this.#lines.add(run);
      return;
    }
    const [found, ...noted] = this.#lines.earlier;
    const other = JSON.stringify(found) ?? 'no run';
    if (other !== head) throw new JsonLinesError(`${path} is of ${other}, this run is of ${head}: name another file`);
    for (const each of noted as Noted[]) this.done.set(each.seed, each);
  }

  note({ seed, failure, result, twice }: SeedReport): void {
    this.#lines.add({ seed, failure, result, twice } satisfies Noted);
  }
}
