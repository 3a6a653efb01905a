/** One thing wrong with a configuration. */
export interface ConfigProblem {
  /** The setting: `session.ttl`; a variable's or file's name when there is no such setting. */
  readonly path: string;
  /** What was found, as written; undefined when something is missing. */
  readonly value?: unknown;
  /** What belongs there, and what to do. */
  readonly expected: string;
  /** Where the value came from; null for defaults and for relations between settings. */
  readonly origin: string | null;
}

/** Notes a problem where something doesn't hold. */
export type Expect = (holds: boolean, path: string, value: unknown, expected: string) => void;

/** A configuration that can't be used: all problems at once. Match on `code`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** One line: what, where from, what belongs there. */
export function formatProblem({ path, value, expected, origin }: ConfigProblem): string {
  const found = value === undefined ? '' : ` ${shorten(JSON.stringify(value) ?? String(value))}`;
  return `${path}:${found}${origin === null ? '' : ` (${origin})`}${found === '' && origin === null ? ' ' : ': '}${expected}`;
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
