/** Deeper than any state; beyond it, a view contains itself. */
const depthMax = 1000;

/**
 * What a job shows of a state, as data that JSON can hold. Where `JSON.stringify` would throw or show nothing of it: a
 * bigint, NaN or infinity is its text, bytes are 0x and hex, other typed arrays and Sets are lists, a Map is an object when
 * all of its keys are texts, else a list of pairs. All else is as JSON has it; what has no JSON is null.
 * @throws RangeError when it contains itself; whatever a getter or `toJSON` in it throws
 */
export function viewJson(view: unknown): unknown {
  return toJson(view, 0) ?? null;
}

/** As bytes are shown that are no text. */
export function hexText(bytes: Uint8Array): string {
  return `0x${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/** Undefined: JSON leaves it out of objects. */
function toJson(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : objectJson(value, depth);
    default:
      return undefined;
  }
}

function objectJson(value: object, depth: number): unknown {
  if (depth > depthMax) throw new RangeError(`it contains itself, or is nested more than ${depthMax} deep`);
  const listOf = (items: Iterable<unknown>) => Array.from(items, (item) => toJson(item, depth + 1) ?? null);
  // Before `toJSON`, which a Buffer has.
  if (value instanceof Uint8Array) return hexText(value);
  if (value instanceof Map) {
    const entries = [...(value as Map<unknown, unknown>)];
    return entries.every(([key]) => typeof key === 'string')
      ? recordOf(entries as [string, unknown][], depth)
      : entries.map(listOf);
  }
  if (value instanceof Set || isTypedArray(value)) return listOf(value);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return toJson(toJSON.call(value, ''), depth + 1);
  return Array.isArray(value) ? listOf(value) : recordOf(Object.entries(value), depth);
}

/** `fromEntries` makes a property of its own of `__proto__` too. */
function recordOf(entries: readonly (readonly [string, unknown])[], depth: number): object {
  const shown = entries.map(([key, item]) => [key, toJson(item, depth + 1)] as const);
  return Object.fromEntries(shown.filter(([, item]) => item !== undefined));
}

function isTypedArray(value: object): value is object & Iterable<unknown> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
