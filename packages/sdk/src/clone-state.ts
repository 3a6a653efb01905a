import { StateError } from './errors.ts';
import { findRefusedPart, stateDepthMax } from './plain-data.ts';

/** Tells the recursion's own refusal from other errors, without a path to keep on the way down. */
const refused = Symbol('refused');

/**
 * A copy of plain data that shares nothing with it. A value reachable by two ways is copied twice: a state is a tree.
 * @throws StateError STATE_NOT_PLAIN with the place
 */
export function cloneState<T>(root: T): T {
  try {
    return clone(root, 0) as T;
  } catch (error) {
    // Whatever else is thrown comes out of the state too: a getter in it, say.
    const found = findRefusedPart(root);
    const options = error === refused ? undefined : { cause: error };
    throw new StateError('STATE_NOT_PLAIN', found?.problem ?? 'not plain data', found?.path ?? 'state', options);
  }
}

function clone(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > stateDepthMax) throw refused;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    // The spread copies own properties as they are (also one named __proto__) and keeps the hidden class.
    const copy: Record<string, unknown> = prototype === null ? { __proto__: null, ...value } : { ...value };
    for (const key of Object.keys(copy)) {
      const item = copy[key];
      if (typeof item === 'object' && item !== null) copy[key] = clone(item, depth + 1);
    }
    return copy;
  }
  if (prototype === Array.prototype) {
    const copy = (value as unknown[]).slice();
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      if (typeof item === 'object' && item !== null) copy[i] = clone(item, depth + 1);
    }
    return copy;
  }
  if (prototype === Map.prototype) {
    const copy = new Map<unknown, unknown>();
    for (const [key, item] of value as Map<unknown, unknown>) copy.set(clone(key, depth + 1), clone(item, depth + 1));
    return copy;
  }
  if (prototype === Set.prototype) {
    const copy = new Set<unknown>();
    for (const item of value as Set<unknown>) copy.add(clone(item, depth + 1));
    return copy;
  }
  if (prototype === Uint8Array.prototype) return (value as Uint8Array).slice();
  throw refused;
}

/**
 * Puts `source`'s contents into `target`, which is of the same kind and stays the same object: whoever holds the state
 * holds the restored one. `source` is used up: its parts belong to `target` afterwards.
 * @throws StateError STATE_NOT_PLAIN when it can't be changed any more; what is in it is of no use then
 */
export function restoreState(target: object, source: object): void {
  try {
    restore(target, source);
  } catch (cause) {
    throw new StateError('STATE_NOT_PLAIN', 'it is frozen, so that it can not be put back', 'state', { cause });
  }
}

function restore(target: object, source: object): void {
  if (Array.isArray(target)) {
    target.length = 0;
    for (const item of source as unknown[]) target.push(item);
  } else if (target instanceof Map) {
    target.clear();
    for (const [key, item] of source as Map<unknown, unknown>) target.set(key, item);
  } else if (target instanceof Set) {
    target.clear();
    for (const item of source as Set<unknown>) target.add(item);
  } else {
    // Removed first, so that the order of the keys comes back too.
    const to = target as Record<PropertyKey, unknown>;
    for (const key of Reflect.ownKeys(to)) delete to[key];
    for (const key of Object.keys(source)) {
      const value = (source as Record<string, unknown>)[key];
      if (key === '__proto__')
        Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
      else to[key] = value;
    }
  }
}

/** Whether a value can be a job's state: something that a handler changes in place. */
export function isStateRoot(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    prototype === Array.prototype ||
    prototype === Map.prototype ||
    prototype === Set.prototype
  );
}
