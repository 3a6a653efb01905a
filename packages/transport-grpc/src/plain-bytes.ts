/**
 * The same bytes as a plain Uint8Array. A Buffer must not leave this package: its `slice` is a view where that of a
 * Uint8Array is a copy, and its JSON form is another.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
