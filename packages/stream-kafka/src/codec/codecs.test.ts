import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '@holdfast/model';
import fc from 'fast-check';
import { decompressFrameSync } from 'lz4-napi';
import { compressions } from '../options.ts';
import { checksum } from './checksum.ts';
import { compress, compressionNumber, decompress } from './codecs.ts';
import { lz4Decompress } from './lz4.ts';

/** Some that compress well, with matches near and far, and some that don't. */
const contents = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.integer({ min: 1, max: 3_000 }))
    .map(([piece, times]) => Buffer.concat(Array.from({ length: times }, () => piece))),
);

test('what is compressed comes back, within its limit and not beyond it', () => {
  fc.assert(
    fc.property(contents, fc.constantFrom(...compressions), (bytes, compression) => {
      const packed = compress(compression, bytes);
      const number = compressionNumber(compression);
      const back = decompress(number, packed, Math.max(bytes.length, 1));
      assert.equal(Buffer.compare(Buffer.from(back), Buffer.from(bytes)), 0);
      if (compression === 'none' || bytes.length < 2) return;
      assert.throws(() => decompress(number, packed, bytes.length - 1));
    }),
    { numRuns: 200 },
  );
});

test('damaged bytes are an error or other bytes, never a crash or more than the limit', () => {
  const source = Buffer.from('some text that repeats itself, some text that repeats itself. '.repeat(200));
  fc.assert(
    fc.property(
      fc.constantFrom('gzip' as const, 'snappy' as const, 'lz4' as const, 'zstd' as const),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.nat(400),
      (compression, changes, cut) => {
        const packed = Buffer.from(compress(compression, source));
        for (const [at, byte] of changes) packed[at % packed.length] = byte;
        try {
          const back = decompress(compressionNumber(compression), packed.subarray(0, packed.length - cut), 50_000);
          assert.ok(back.length <= 50_000);
        } catch (error) {
          assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('LZ4 frames are read as the library reads them', () => {
  fc.assert(
    fc.property(contents, (bytes) => {
      const packed = Buffer.from(compress('lz4', bytes));
      assert.deepEqual(Buffer.from(lz4Decompress(packed, 1 << 20)), decompressFrameSync(packed));
    }),
    { numRuns: 50 },
  );
});

test('the native sum is the one in JavaScript', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(checksum(bytes), crc32c(bytes))));
  assert.equal(checksum(Buffer.from('123456789')), 0xe3069283);
});
