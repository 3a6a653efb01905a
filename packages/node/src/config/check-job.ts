import type { ConfigProblem } from './config-problem.ts';
import { isPath, unknownJob, unknownMapping } from './job-names.ts';
import { givenOrigin, type Layer } from './sources.ts';

/** Names that a node would only meet at its start. A job of one's own has nothing to do with a mapping. */
export function checkJob(merged: Layer): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const check = (path: string, unknownName: (name: string) => string | null) => {
    const value = merged.get(path)?.value;
    // No text, or an empty one, is refused as such.
    const expected = typeof value === 'string' && value !== '' ? unknownName(value) : null;
    if (expected !== null) problems.push({ path, value, expected, origin: givenOrigin(path, merged) });
  };
  check('job.name', unknownJob);
  const name = merged.get('job.name')?.value;
  if (typeof name !== 'string' || !isPath(name)) check('job.mapping', unknownMapping);
  return problems;
}
