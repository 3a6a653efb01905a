/**
 * The 64-bit unit of a key: two 32-bit halves of MurmurHash3_x86_128 (Austin Appleby, public domain
 * algorithm), folded. Pure JavaScript, about 20 ns for a short key. A collision makes two users share a
 * unit, never a state, so the hash need not resist attackers; it must only never change: it is in stores and logs.
 *
 * The result is written to `unitHashOut` (hi, lo) to keep the record path free of allocation; read it before the next call.
 */
export const unitHashOut = { hi: 0, lo: 0 };

const seed = 0x68_6c_64_66;

function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hashes bytes[start, end) into `unitHashOut`. */
export function hashUnit(bytes: Uint8Array, start: number, end: number): void {
  let h1 = seed;
  let h2 = seed ^ 0x5bd1e995;
  const length = end - start;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const k1 = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    const k2 = bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24);
    let k = Math.imul(k1, 0x239b961b);
    k = (k << 15) | (k >>> 17);
    h1 ^= Math.imul(k, 0xab0e9789);
    h1 = (h1 << 19) | (h1 >>> 13);
    h1 = (Math.imul(h1 + h2, 5) + 0x561ccd1b) | 0;
    k = Math.imul(k2, 0xab0e9789);
    k = (k << 16) | (k >>> 16);
    h2 ^= Math.imul(k, 0x38b34ae5);
    h2 = (h2 << 17) | (h2 >>> 15);
    h2 = (Math.imul(h2 + h1, 5) + 0x0bcaa747) | 0;
  }
  let t1 = 0;
  let t2 = 0;
  const rest = end - i;
  if (rest > 4) {
    for (let j = rest - 1; j >= 4; j--) t2 = (t2 << 8) | bytes[i + j]!;
    t2 = Math.imul(t2, 0xab0e9789);
    t2 = (t2 << 16) | (t2 >>> 16);
    h2 ^= Math.imul(t2, 0x38b34ae5);
  }
  if (rest > 0) {
    for (let j = Math.min(rest, 4) - 1; j >= 0; j--) t1 = (t1 << 8) | bytes[i + j]!;
    t1 = Math.imul(t1, 0x239b961b);
    t1 = (t1 << 15) | (t1 >>> 17);
    h1 ^= Math.imul(t1, 0xab0e9789);
  }
  h1 ^= length;
  h2 ^= length;
  h1 = (h1 + h2) | 0;
  h2 = (h2 + h1) | 0;
  h1 = mix(h1);
  h2 = mix(h2);
  h1 = (h1 + h2) | 0;
  h2 = (h2 + h1) | 0;
  unitHashOut.hi = h1 >>> 0;
  unitHashOut.lo = h2 >>> 0;
}
