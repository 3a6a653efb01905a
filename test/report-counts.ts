import { stripVTControlCharacters } from 'node:util';

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Skipped, or marked as to be written. */
  readonly skipped: number;
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/**
 * Reads the closing lines of node:test's spec reporter (`ℹ pass 12`); null when they aren't there, since a run that
 * didn't get to its end has no counts. A cancelled test is a failed one.
 */
export function countsOfReport(output: string): Counts | null {
  const found = new Map<string, number>();
  for (const [, name = '', n] of stripVTControlCharacters(output).matchAll(
    /^ℹ (pass|fail|cancelled|skipped|todo) (\d+)$/gm,
  )) {
    found.set(name, Number(n));
  }
  const count = (name: string) => found.get(name) ?? 0;
  if (!found.has('pass') || !found.has('fail')) return null;
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
  };
}
