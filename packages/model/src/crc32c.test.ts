import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from './crc32c.ts';

/** Bit by bit, as the polynomial says. */
function slow(bytes: Uint8Array): number {
  let c = 0xffff_ffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f6_3b78 : c >>> 1;
  }
  return ~c >>> 0;
}

test('the check value of the standard', () => {
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe306_9283);
});

test('any bytes, in one piece or two, have the sum of the slow twin', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
      assert.equal(crc32c(bytes), slow(bytes));
      assert.equal(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at))), slow(bytes));
    }),
  );
});
