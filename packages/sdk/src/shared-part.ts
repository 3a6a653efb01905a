/**
 * Where two values that should have nothing in common share something that can be changed; null: nowhere. Frozen objects
 * and lists may be shared, what is in them is looked at. The slow form, for definitions.
 */
export function findSharedPart(one: unknown, other: unknown, rootPath: string): string | null {
  const parts = new Set<object>();
  visit(one, '', parts, () => false);
  let shared: string | null = null;
  visit(other, rootPath, new Set(), (part, path) => {
    if (!parts.has(part) || isFixed(part)) return false;
    shared = path;
    return true;
  });
  return shared;
}

/** Each object once, by whatever way it is found first, until `isEnough`. */
function visit(
  value: unknown,
  path: string,
  seen: Set<object>,
  isEnough: (part: object, path: string) => boolean,
): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  if (isEnough(value, path)) return true;
  if (ArrayBuffer.isView(value)) return false;
  if (value instanceof Map) {
    let n = 0;
    for (const [key, item] of value) {
      if (visit(key, `${path} key ${n}`, seen, isEnough) || visit(item, `${path} value ${n}`, seen, isEnough))
        return true;
      n++;
    }
  }
  if (value instanceof Set) {
    let n = 0;
    for (const item of value) if (visit(item, `${path} member ${n++}`, seen, isEnough)) return true;
  }
  for (const [name, item] of Object.entries(value)) {
    if (visit(item, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`, seen, isEnough)) return true;
  }
  return false;
}

/** Of Maps, Sets and bytes the contents can be changed all the same. */
export function isFixed(value: object): boolean {
  return Object.isFrozen(value) && !(value instanceof Map || value instanceof Set || ArrayBuffer.isView(value));
}
