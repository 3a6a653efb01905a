/** Short sorted lists kept as columns. Elements are moved by hand: `splice` allocates at each call, on the record path. */

/**
 * Inserts at an index; what then lies beyond `lengthMax` falls off the end.
 * @returns the column to keep: a new one while it grows. `push` on an empty array reserves room for 17 elements, and a
 * user has thirty columns, most of them short: growing by copy takes a fifth of the memory.
 */
export function insertBounded<T extends string | number | null>(
  column: T[],
  at: number,
  value: T,
  lengthMax: number,
): T[] {
  const grown = column.length === 0 ? [value] : column.length < lengthMax ? column.concat(value) : column;
  for (let i = grown.length - 1; i > at; i--) grown[i] = grown[i - 1]!;
  grown[at] = value;
  return grown;
}

/** Takes the element at `from` out and puts `value` in at `to`, which is not behind it. */
export function replaceAhead<T>(column: T[], from: number, to: number, value: T): void {
  for (let i = from; i > to; i--) column[i] = column[i - 1]!;
  column[to] = value;
}
