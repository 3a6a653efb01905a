import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { decodeBackup, encodeBackup, headerBytes, type StoredBackup } from './stored-backup.ts';

const unit = { hi: 1, lo: 2 };
const protoFile = new URL('../../../proto/holdfast/store/v1/backup.proto', import.meta.url).pathname;
const schema = protobuf.loadSync(protoFile).lookupType('holdfast.store.v1.StoredBackup');
const anyBackup: fc.Arbitrary<StoredBackup> = fc.record(
  {
    epoch: fc.maxSafeNat(),
    seq: fc.maxSafeNat(),
    savedUnixMs: fc.maxSafeNat(),
    row: fc.option(fc.uint8Array({ maxLength: 300 })),
  },
  { noNullPrototype: true },
);

test('what is written is read, and is what the proto file says', () => {
  fc.assert(
    fc.property(anyBackup, (backup) => {
      const bytes = encodeBackup(backup);
      assert.deepEqual(decodeBackup(bytes, unit), backup);
      const message = schema.toObject(schema.decode(bytes), { longs: Number, bytes: Uint8Array });
      assert.deepEqual(
        {
          epoch: 0,
          seq: 0,
          savedUnixMs: 0,
          row: null,
          ...message,
          ...(message.row && { row: new Uint8Array(message.row) }),
        },
        { ...backup, schema: 1 },
      );
    }),
  );
});

test('epoch and seq are where the function looks for them', () => {
  const bytes = Buffer.from(encodeBackup({ epoch: 2 ** 40 + 3, seq: 9, savedUnixMs: 5, row: null }));
  assert.deepEqual([...bytes.subarray(0, 3)], [8, 1, 17]);
  assert.equal(Number(bytes.readBigUInt64LE(3)), 2 ** 40 + 3);
  assert.equal(bytes[11], 25);
  assert.equal(Number(bytes.readBigUInt64LE(12)), 9);
  assert.equal(headerBytes, 20);
});

test('damage and newer schemas are told apart, and never read', () => {
  const bytes = encodeBackup({ epoch: 7, seq: 1, savedUnixMs: 5, row: new Uint8Array([1, 2, 3]) });
  for (let length = 0; length < bytes.length; length++) {
    // Without its last field it is a whole message: a row that was never backed up.
    if (length === headerBytes || length === headerBytes + 2) continue;
    assert.throws(() => decodeBackup(bytes.subarray(0, length), unit), { code: 'CORRUPT', message: /is damaged/ });
  }
  assert.throws(() => decodeBackup(Uint8Array.of(...bytes, 0), unit), { code: 'CORRUPT' });
  const newer = bytes.slice();
  newer[1] = 2;
  assert.throws(() => decodeBackup(newer, unit), { code: 'CORRUPT', message: /has schema 2, this holdfast knows 1/ });
});
