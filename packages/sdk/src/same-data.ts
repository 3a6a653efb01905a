/** Whether two pieces of plain data are the same, order of keys included; NaN is NaN, -0 is not 0, undefined properties don't count. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map) return sameItems([...a].flat(1), [...(b as Map<unknown, unknown>)].flat(1));
  if (a instanceof Set) return sameItems([...a], [...(b as Set<unknown>)]);
  if (Array.isArray(a)) return sameItems(a, b as unknown[]);
  if (a instanceof Uint8Array) return sameItems([...a], [...(b as Uint8Array)]);
  const left = entries(a);
  const right = entries(b);
  return (
    left.length === right.length &&
    left.every(([key, value], i) => key === right[i]![0] && sameData(value, right[i]![1]))
  );
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => sameData(item, b[i]));
}

function entries(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}
