import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUnit } from './ids.ts';
import { hashUnit, unitHashOut } from './unit-hash.ts';

function unitOf(text: string): string {
  const bytes = Buffer.from(`..${text}..`);
  hashUnit(bytes, 2, bytes.length - 2);
  return formatUnit(unitHashOut.hi, unitHashOut.lo);
}

test('never changes: it is in stores and logs', () => {
  const known = ['', 'a', 'alice', 'user-000001', '192.168.100.200', 'a much longer key, with more than sixteen bytes'];
  assert.deepEqual(known.map(unitOf), [
    'e3b35557b3ed6559',
    '4e7a85aa4f6783c6',
    '00383f5f30852f8f',
    '726013f40ed394b1',
    '965971d3169b05a7',
    '430b66cff440b8a7',
  ]);
});

test('spreads sequential keys evenly over both halves, and has no collision among 200,000', () => {
  const seen = new Set<string>();
  const buckets = new Uint32Array(64);
  const high = new Uint32Array(64);
  for (let i = 0; i < 200_000; i++) {
    const bytes = Buffer.from(`user-${i}`);
    hashUnit(bytes, 0, bytes.length);
    seen.add(formatUnit(unitHashOut.hi, unitHashOut.lo));
    buckets[unitHashOut.lo & 63]!++;
    high[unitHashOut.hi >>> 26]!++;
  }
  assert.equal(seen.size, 200_000);
  for (const count of [...buckets, ...high]) assert.ok(Math.abs(count - 3125) < 350, `${count} in a place of 3,125`);
});
