import { stripVTControlCharacters } from 'node:util';

/** So many lines of one command are repeated at the end; the rest is further up. */
const linesMax = 12;
/** Lines in which what failed is named: by node:test at its end, by simulations, by chaos. */
const namesFailure = /^(✖ |test at |seed \d+: |\s+again: |never fired: |FAILED )/;
const headOfFailures = '✖ failing tests:';

/**
 * The lines of a command's output that name what failed, for the end of a long run, of which often only the end is kept.
 * The last lines, if none does.
 */
export function failuresOf(output: string): string[] {
  const lines = stripVTControlCharacters(output).trimEnd().split('\n');
  const named = lines
    .slice(lines.lastIndexOf(headOfFailures) + 1)
    .filter((line) => namesFailure.test(line))
    .slice(0, linesMax);
  return named.length > 0 ? named : lines.slice(-linesMax);
}
