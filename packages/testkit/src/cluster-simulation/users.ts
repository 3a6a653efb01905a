import { encodeUtf8, formatUnit, type Rng, randomBelow, type Unit } from '@holdfast/model';
import { collidingKey, unitOf } from './colliding-key.ts';

/** A user of the workload: raw key bytes, whatever they are. */
export interface SimulatedUser {
  readonly index: number;
  readonly key: Uint8Array;
  readonly hex: string;
  readonly unit: Unit;
  readonly unitKey: string;
}

/** Keys that have confused somebody's program before (reliability F40): identity is their bytes, and nothing else. */
const hostileKeys: readonly Uint8Array[] = [
  encodeUtf8('__proto__'),
  encodeUtf8('constructor'),
  encodeUtf8('toString'),
  encodeUtf8(''),
  Uint8Array.of(0),
  Uint8Array.of(0, 0),
  // A surrogate by itself, as bytes; two that a forgiving decoder makes one.
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xed, 0xb0, 0x80),
  Uint8Array.of(0xff, 0xfe),
  Uint8Array.of(0xfe, 0xff),
  // One letter, composed and decomposed.
  encodeUtf8('\u00e9'),
  encodeUtf8('e\u0301'),
  encodeUtf8('10'),
  encodeUtf8('010'),
  encodeUtf8('4294967296'),
  new Uint8Array(1_024).fill(0x61),
];

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

const keyOf = (rng: Rng, bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, () => randomBelow(rng, 256));

/** A key, and another one of its unit. */
function drawPair(rng: Rng): [Uint8Array, Uint8Array] {
  const key = keyOf(rng, 16);
  return [key, collidingKey(key, keyOf(rng, 8))];
}

/** So many users: hostile ones, pairs that share a unit, and plain ones. In an order that makes any of them hot. */
export function drawUsers(rng: Rng, count: number): SimulatedUser[] {
  const keys: Uint8Array[] = [];
  const hostile = [...hostileKeys];
  while (keys.length < count) {
    const kind = randomBelow(rng, 8);
    if (kind === 0 && hostile.length > 0) keys.push(hostile.splice(randomBelow(rng, hostile.length), 1)[0]!);
    else if (kind === 1) keys.push(...drawPair(rng));
    else keys.push(encodeUtf8(`user-${keys.length}-${rng.u32() % 1_000}`));
  }
  return usersOfKeys(keys.slice(0, count));
}

/** So many users, all of whom are difficult: every hostile one, and pairs that share a unit. */
export function drawHostileUsers(rng: Rng, count: number): SimulatedUser[] {
  const keys = [...hostileKeys];
  while (keys.length < count) keys.push(...drawPair(rng));
  return usersOfKeys(keys.slice(0, count));
}

function usersOfKeys(keys: readonly Uint8Array[]): SimulatedUser[] {
  return keys.map((key, index) => {
    const unit = unitOf(key);
    return { index, key, hex: hexOf(key), unit, unitKey: formatUnit(unit.hi, unit.lo) };
  });
}
