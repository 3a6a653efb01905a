/** Nesting that a state may have. */
export const stateDepthMax = 64;

/** Where a value is not plain data, and why. */
export interface PlainDataProblem {
  readonly path: string;
  readonly problem: string;
}

/**
 * The first thing in `root` that a state can't hold; null when it is plain data: null, booleans, numbers, strings, bigints,
 * arrays, plain objects (with or without prototype), Map, Set, Uint8Array, undefined.
 * The slow, exact twin of the encoder's checks: for error texts, definitions and tests.
 */
export function findPlainDataProblem(root: unknown, rootPath = 'state'): PlainDataProblem | null {
  return find(root, rootPath, 0, new Set());
}

function find(value: unknown, path: string, depth: number, above: Set<object>): PlainDataProblem | null {
  if (typeof value === 'function') return { path, problem: 'a function' };
  if (typeof value === 'symbol') return { path, problem: 'a symbol' };
  if (typeof value !== 'object' || value === null) return null;
  if (above.has(value)) return { path, problem: 'a cycle: the value contains itself' };
  if (depth > stateDepthMax) return { path, problem: `nested more than ${stateDepthMax} deep` };
  const prototype: unknown = Object.getPrototypeOf(value);
  above.add(value);
  const problem = findInside(value, prototype, path, depth + 1, above);
  above.delete(value);
  return problem;
}

function findInside(
  value: object,
  prototype: unknown,
  path: string,
  depth: number,
  above: Set<object>,
): PlainDataProblem | null {
  if (prototype === Uint8Array.prototype) return null;
  if (prototype === Array.prototype) {
    const list = value as unknown[];
    if (Object.keys(list).length > list.length) return { path, problem: 'an array with named properties' };
    for (let i = 0; i < list.length; i++) {
      const found = find(list[i], `${path}[${i}]`, depth, above);
      if (found !== null) return found;
    }
    return null;
  }
  if (prototype === Map.prototype) {
    for (const [key, item] of value as Map<unknown, unknown>) {
      const at = `${path}.get(${shortKey(key)})`;
      const found = find(key, `${path} key ${shortKey(key)}`, depth, above) ?? find(item, at, depth, above);
      if (found !== null) return found;
    }
    return null;
  }
  if (prototype === Set.prototype) {
    for (const item of value as Set<unknown>) {
      const found = find(item, `${path} member ${shortKey(item)}`, depth, above);
      if (found !== null) return found;
    }
    return null;
  }
  if (prototype !== Object.prototype && prototype !== null) {
    return { path, problem: classProblem(prototype) };
  }
  if (Object.getOwnPropertySymbols(value).length > 0) return { path, problem: 'an object with symbol keys' };
  for (const key of Object.getOwnPropertyNames(value)) {
    const at = /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${shortKey(key)}]`;
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    if (property.get !== undefined || property.set !== undefined) return { path: at, problem: 'a getter or setter' };
    if (property.enumerable !== true) return { path: at, problem: 'a hidden property' };
    const found = find(property.value, at, depth, above);
    if (found !== null) return found;
  }
  return null;
}

function classProblem(prototype: unknown): string {
  const name = (prototype as { constructor?: { name?: unknown } }).constructor?.name;
  const shown = typeof name === 'string' && name !== '' ? name : 'an unnamed class';
  const instead =
    shown === 'Date'
      ? ': store Unix milliseconds'
      : shown === 'Buffer'
        ? ': store a Uint8Array'
        : ': store its fields as a plain object';
  return `an instance of ${shown}${instead}`;
}

function shortKey(key: unknown): string {
  if (typeof key === 'string') return `'${key.length > 20 ? `${key.slice(0, 20)}…` : key}'`;
  return typeof key === 'object' && key !== null ? '(object)' : String(key);
}
