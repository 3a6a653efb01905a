import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFormatError, ByteReader, ByteWriter } from './bytes.ts';

const item = fc.oneof(
  fc.record({ kind: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ kind: fc.constant('f64' as const), value: fc.double() }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array() }),
  fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'binary' }) }),
);

test('what was written is read back', () => {
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const writer = new ByteWriter(1);
      for (const { kind, value } of items) (writer[kind] as (v: unknown) => unknown).call(writer, value);
      const reader = new ByteReader(writer.finish());
      for (const { kind, value } of items) assert.deepEqual(reader[kind](), value);
      assert.ok(reader.atEnd);
    }),
  );
});

test('a cut or foreign input is refused, never read past its end', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.constantFrom('varint', 'u32', 'f64', 'bytes', 'text')),
      (bytes, kinds) => {
        const reader = new ByteReader(bytes);
        try {
          for (const kind of kinds) reader[kind as 'varint']();
        } catch (error) {
          assert.ok(error instanceof ByteFormatError);
        }
      },
    ),
  );
});
