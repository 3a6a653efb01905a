import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes, decodeUtf8, encodeUtf8 } from './utf8.ts';

test('encodes and decodes as the platform does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.deepEqual(encodeUtf8(text), new Uint8Array(new TextEncoder().encode(text)));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      let expected: string | null;
      try {
        expected = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        expected = null;
      }
      assert.equal(decodeUtf8(bytes), expected);
    }),
    { numRuns: 2_000 },
  );
});

test('byte order is that of the platform', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      assert.equal(compareBytes(a, b), Buffer.compare(a, b));
    }),
  );
});
