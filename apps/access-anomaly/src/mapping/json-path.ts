/** Looks for values in parsed JSON by dotted paths; `mapping.ts` says what a path means. */

/** A path, with the joined keys that may stand at each step: `step[i][n]` joins segments i to i+n. */
export interface CompiledPath {
  readonly length: number;
  readonly steps: readonly (readonly string[])[];
}

/** More segments than a real format has; 2^(n-1) spellings of a path must stay few. */
export const pathSegmentsMax = 8;

export function compilePath(path: string): CompiledPath {
  const segments = path.split('.');
  const steps = segments.map((_, i) => segments.slice(i).map((_, n) => segments.slice(i, i + n + 1).join('.')));
  return { length: segments.length, steps };
}

/**
 * All spellings of a path as lists of keys, in the order of looking: `a.b.c` is a›b›c, a›b.c, a.b›c, a.b.c.
 * The byte scanner ranks what it finds by this order.
 */
export function pathSpellings(path: CompiledPath, from = 0): string[][] {
  if (from === path.length) return [[]];
  return path.steps[from]!.flatMap((key, n) => pathSpellings(path, from + n + 1).map((rest) => [key, ...rest]));
}

/**
 * Offers each value at the path to `take`, in order, until it returns true. Arrays at the end are offered by element,
 * unless `wholeArrays`. Recursion is bounded by the depth cap of records.
 */
export function visitPath(
  value: unknown,
  path: CompiledPath,
  take: (value: unknown) => boolean,
  wholeArrays = false,
  from = 0,
): boolean {
  if (from === path.length && (wholeArrays || !Array.isArray(value))) return take(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) {
    for (const element of value) if (visitPath(element, path, take, wholeArrays, from)) return true;
    if (from === path.length) return false;
  }
  const step = path.steps[from]!;
  for (let n = 0; n < step.length; n++) {
    const key = step[n]!;
    if (!Object.hasOwn(value, key)) continue;
    const child = (value as Record<string, unknown>)[key];
    if (Array.isArray(value) && key === 'length') continue;
    if (visitPath(child, path, take, wholeArrays, from + n + 1)) return true;
  }
  return false;
}
