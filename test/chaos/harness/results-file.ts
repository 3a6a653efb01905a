import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf, JsonLines } from '@holdfast/testkit';
import type { Outcome } from './run-once.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What one run came to. */
interface Line {
  readonly at: string;
  readonly code: string;
  readonly name: string;
  readonly seed: number;
  readonly ok: boolean;
  readonly seconds: number | null;
  readonly violations: readonly string[];
}

/**
 * Remembers what each run came to, a line each. All scenarios several times are hours: what has passed by the same code
 * need not be run again when they go on.
 */
export class ResultsFile {
  readonly #lines: JsonLines;
  readonly #code: string;
  readonly #passed = new Set<string>();

  /** @throws JsonLinesError when the file can't be read and written */
  constructor(path: string, code: string) {
    this.#lines = new JsonLines(path);
    this.#code = code;
    for (const line of this.#lines.earlier as Line[]) if (line.ok && line.code === code) this.#passed.add(runOf(line));
  }

  hasPassed(name: string, seed: number): boolean {
    return this.#passed.has(runOf({ name, seed }));
  }

  note({ name, seed, violations, result }: Outcome, at: Date): void {
    const ok = violations.length === 0;
    const seconds = result?.seconds ?? null;
    const line: Line = { at: at.toISOString(), code: this.#code, name, seed, ok, seconds, violations };
    this.#lines.add(line);
  }
}

/** Names all code that a chaos run is made of: the product's and the harness's. */
export function chaosDigest(): string {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`);
  return digestOf(root, [...packages.sort(), 'test/chaos']);
}

const runOf = ({ name, seed }: Pick<Line, 'name' | 'seed'>): string => `${name} ${seed}`;
