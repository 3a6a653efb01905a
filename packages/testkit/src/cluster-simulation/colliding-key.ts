import { hashUnit, unitHashOut } from '@holdfast/model';

/** The inverse of an odd factor modulo 2^32, by Newton's iteration. */
function inverse(factor: number): number {
  let x = factor;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(factor, x));
  return x;
}

const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const blockFactor1 = 0x239b961b;
const blockFactor2 = 0xab0e9789;
const blockFactor3 = 0x38b34ae5;
const five = inverse(5);

/** What one block of eight bytes makes of the two halves of the hash (model/unit-hash.ts, once more). */
function afterBlock(h1: number, h2: number, k1: number, k2: number): readonly [h1: number, h2: number] {
  const mixed = (k: number, a: number, left: number, b: number): number =>
    Math.imul(rotateLeft(Math.imul(k, a), left), b);
  const first = (Math.imul(rotateLeft(h1 ^ mixed(k1, blockFactor1, 15, blockFactor2), 19) + h2, 5) + 0x561ccd1b) | 0;
  const second =
    (Math.imul(rotateLeft(h2 ^ mixed(k2, blockFactor2, 16, blockFactor3), 17) + first, 5) + 0x0bcaa747) | 0;
  return [first, second];
}

function words(key: Uint8Array, at: number): readonly [k1: number, k2: number] {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return [view.getInt32(at, true), view.getInt32(at + 4, true)];
}

const seed1 = 0x68_6c_64_66;
const seed2 = seed1 ^ 0x5bd1e995;

/**
 * Another key of sixteen bytes with the unit of `key`: the hash has no secret, so that its rounds can be turned back.
 * Users whose keys collide share a unit and never a state (PROTOCOL.md 1), which chance would never show.
 */
export function collidingKey(key: Uint8Array, firstHalf: Uint8Array): Uint8Array {
  const [a1, a2] = afterBlock(seed1, seed2, ...words(key, 0));
  const [wanted1, wanted2] = afterBlock(a1, a2, ...words(key, 8));
  const [h1, h2] = afterBlock(seed1, seed2, ...words(firstHalf, 0));
  const unmixed = (x: number, a: number, left: number, b: number): number =>
    Math.imul(rotateLeft(Math.imul(x, inverse(b)), 32 - left), inverse(a));
  const before1 = rotateLeft((Math.imul((wanted1 - 0x561ccd1b) | 0, five) - h2) | 0, 13) ^ h1;
  const before2 = rotateLeft((Math.imul((wanted2 - 0x0bcaa747) | 0, five) - wanted1) | 0, 15) ^ h2;
  const other = new Uint8Array(16);
  other.set(firstHalf.subarray(0, 8));
  const view = new DataView(other.buffer);
  view.setInt32(8, unmixed(before1, blockFactor1, 15, blockFactor2), true);
  view.setInt32(12, unmixed(before2, blockFactor2, 16, blockFactor3), true);
  return other;
}

/** The unit of a key as a text. */
export function unitOf(key: Uint8Array): { readonly hi: number; readonly lo: number } {
  hashUnit(key, 0, key.length);
  return { hi: unitHashOut.hi, lo: unitHashOut.lo };
}
