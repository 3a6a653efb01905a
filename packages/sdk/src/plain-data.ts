import { isFixed } from './shared-part.ts';

/** Nesting that a state may have. */
export const stateDepthMax = 64;

/** Where a value is not plain data, and why. */
export interface PlainDataProblem {
  readonly path: string;
  readonly problem: string;
}

/** What a search looks for, and what it may tell. */
interface Search {
  /** Whether paths name keys and properties. These are users' data: a node's log has only where they are. */
  readonly named: boolean;
  /** Where each object was found first; null: one found twice is no problem. */
  readonly places: Map<object, string> | null;
  readonly above: Set<object>;
}

/**
 * The first thing in `root` that a state can't hold; null when it is a tree of plain data: null, booleans, numbers,
 * strings, bigints, arrays, plain objects (with or without prototype), Map, Set, Uint8Array, undefined.
 * For definitions and tests: slow and exact, with a path that names what is on its way.
 */
export function findPlainDataProblem(root: unknown, rootPath = 'state'): PlainDataProblem | null {
  return find(root, rootPath, 0, { named: true, places: new Map(), above: new Set() });
}

/** Why the encoder or a copy refused `root`, in words that may be in a log: its path has positions in place of names. */
export function findRefusedPart(root: unknown): PlainDataProblem | null {
  return find(root, 'state', 0, { named: false, places: null, above: new Set() });
}

function find(value: unknown, path: string, depth: number, search: Search): PlainDataProblem | null {
  if (typeof value === 'function') return { path, problem: 'a function' };
  if (typeof value === 'symbol') return { path, problem: 'a symbol' };
  if (typeof value !== 'object' || value === null) return null;
  const { above, places } = search;
  if (above.has(value)) return { path, problem: 'a cycle: the value contains itself' };
  if (depth > stateDepthMax) return { path, problem: `nested more than ${stateDepthMax} deep` };
  const place = places?.get(value);
  // Of what nobody can change, two are as good as one.
  if (place !== undefined && !isFixed(value)) {
    return { path, problem: `the same object as ${place}, of which a copy, a backup or a move makes two` };
  }
  places?.set(value, path);
  above.add(value);
  const problem = findInside(value, path, depth + 1, search);
  above.delete(value);
  return problem;
}

function findInside(value: object, path: string, depth: number, search: Search): PlainDataProblem | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Uint8Array.prototype) return null;
  if (prototype === Array.prototype) {
    const list = value as unknown[];
    if (Object.keys(list).length > list.length) return { path, problem: 'an array with named properties' };
    for (let i = 0; i < list.length; i++) {
      const found = find(list[i], `${path}[${i}]`, depth, search);
      if (found !== null) return found;
    }
    return null;
  }
  const { named } = search;
  let n = 0;
  if (prototype === Map.prototype) {
    for (const [key, item] of value as Map<unknown, unknown>) {
      const at = named ? `${path}.get(${shortKey(key)})` : `${path} value ${n}`;
      const atKey = `${path} key ${named ? shortKey(key) : n}`;
      const found = find(key, atKey, depth, search) ?? find(item, at, depth, search);
      if (found !== null) return found;
      n++;
    }
    return null;
  }
  if (prototype === Set.prototype) {
    for (const item of value as Set<unknown>) {
      const found = find(item, `${path} member ${named ? shortKey(item) : n}`, depth, search);
      if (found !== null) return found;
      n++;
    }
    return null;
  }
  if (prototype !== Object.prototype && prototype !== null) {
    return { path, problem: classProblem(prototype) };
  }
  if (Object.getOwnPropertySymbols(value).length > 0) return { path, problem: 'an object with symbol keys' };
  for (const key of Object.getOwnPropertyNames(value)) {
    const at = named ? propertyPath(path, key) : `${path} property ${n}`;
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    if (property.get !== undefined || property.set !== undefined) return { path: at, problem: 'a getter or setter' };
    if (property.enumerable !== true) return { path: at, problem: 'a hidden property' };
    const found = find(property.value, at, depth, search);
    if (found !== null) return found;
    n++;
  }
  return null;
}

function propertyPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${shortKey(key)}]`;
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
