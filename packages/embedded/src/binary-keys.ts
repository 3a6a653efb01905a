/** Keys that sort by their numbers: big endian, fixed widths. */

/** A safe integer as eight bytes. */
export function writeU64(into: Buffer, value: number, at: number): void {
  into.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  into.writeUInt32BE(value % 2 ** 32, at + 4);
}

export function readU64(from: Uint8Array, at: number): number {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

/** Key of one number. */
export function u64Key(value: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeU64(key, value, 0);
  return key;
}

/** Key of a short text. */
export function textKey(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** The same bytes, with Buffer's methods: lmdb's types promise less than what it gives. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
