/**
 * Tables for eight bytes at a time: the first is the usual one, each next one moves a byte's effect by another byte
 * (Kounavis and Berry, "slicing-by-8"). Three times as fast as one byte at a time.
 */
const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  t0[n] = c >>> 0;
}
for (let slice = 1; slice < 8; slice++) {
  const before = tables[slice - 1]!;
  for (let n = 0; n < 256; n++) tables[slice]![n] = (before[n]! >>> 8) ^ t0[before[n]! & 0xff]!;
}

/** CRC-32C (Castagnoli, RFC 3720 B.4) of bytes; `seed` continues an earlier one. Unsigned. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let c = ~seed;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c =
      t7[c & 0xff]! ^
      t6[(c >>> 8) & 0xff]! ^
      t5[(c >>> 16) & 0xff]! ^
      t4[c >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) c = t0[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}
