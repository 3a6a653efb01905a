/**
 * A record of the workload: a letter for what becomes of it, the length of the key (two bytes, little endian), the key,
 * an amount (four bytes), and padding.
 */
export type RecordKind =
  /** counts */
  | 'r'
  /** counts, and emits an output */
  | 'e'
  /** has no key: passed over */
  | '-'
  /** broken: dead at the ingest */
  | '?'
  /** broken for its holder alone */
  | 'x'
  /** its handler changes the state, and throws */
  | 't'
  /** passed over by its holder */
  | 's'
  /** ends the process of whoever applies it */
  | 'k'
  /** its handler leaves a state that can't be encoded */
  | 'z';

export function encodeRecord(kind: RecordKind, key: Uint8Array, amount: number, paddingBytes: number): Uint8Array {
  const bytes = new Uint8Array(3 + key.length + 4 + paddingBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = kind.charCodeAt(0);
  view.setUint16(1, key.length, true);
  bytes.set(key, 3);
  view.setInt32(3 + key.length, amount, true);
  return bytes;
}

export function kindOf(bytes: Uint8Array, start: number): RecordKind {
  return String.fromCharCode(bytes[start]!) as RecordKind;
}

export function keyLengthOf(bytes: Uint8Array, start: number): number {
  return bytes[start + 1]! | (bytes[start + 2]! << 8);
}

export function amountOf(bytes: Uint8Array, start: number): number {
  const at = start + 3 + keyLengthOf(bytes, start);
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
