import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteFormatError, topicId } from '@holdfast/model';
import fc from 'fast-check';
import { decodeRow, encodeRow } from './row-codec.ts';

const plain = { noNullPrototype: true } as const;
const content = fc.record(
  {
    vector: fc.array(
      fc.record(
        {
          partition: fc.record({ topicId: fc.string().map(topicId), partition: fc.nat() }, plain),
          offset: fc.maxSafeNat(),
        },
        plain,
      ),
      { maxLength: 8 },
    ),
    users: fc.array(fc.record({ key: fc.uint8Array(), job: fc.string(), state: fc.uint8Array() }, plain), {
      maxLength: 4,
    }),
  },
  plain,
);

test('a row is read back whole', () => {
  fc.assert(fc.property(content, (row) => assert.deepEqual(decodeRow(encodeRow(row)), row)));
});

test('a row cut anywhere, or of another format, is refused', () => {
  const bytes = encodeRow({
    vector: [{ partition: { topicId: topicId('t'), partition: 3 }, offset: 88_120_377 }],
    users: [{ key: Uint8Array.of(1, 2), job: 'job', state: Uint8Array.of(9) }],
  });
  for (let end = 0; end < bytes.length; end++) assert.throws(() => decodeRow(bytes.slice(0, end)), ByteFormatError);
  assert.throws(() => decodeRow(Uint8Array.of(2, ...bytes.slice(1))), /format 2/);
});
