import assert from 'node:assert/strict';

/** One broken rule, at the place that breaks it. */
export interface Violation {
  /** Path from the repository's root. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

export function formatViolation({ file, line, rule }: Violation): string {
  return `${file}:${line}: ${rule}`;
}

/** Fails with every violation on a line of its own. */
export function assertNone(violations: readonly Violation[]): void {
  const lines = violations.map(formatViolation);
  assert.equal(lines.length, 0, `${lines.length} violations\n${lines.join('\n')}`);
}

/** For the proofs that a checker sees something: the rules that were found broken. */
export function rulesOf(violations: readonly Violation[]): string[] {
  return violations.map(({ rule }) => rule);
}
