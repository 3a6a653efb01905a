import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordBlockError, RecordBlockReader, RecordBlockWriter } from './record-block.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const record = fc.record({
  hi: u32,
  lo: u32,
  offset: fc.integer({ min: 2 ** 33, max: 2 ** 33 + 100_000 }),
  time: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: 1.7e12, max: 1.7e12 + 1e6 })),
  key: fc.uint8Array({ maxLength: 50 }),
  value: fc.option(fc.uint8Array({ maxLength: 100 }), { nil: null }),
});

test('a block gives back its records, offsets in any order', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
      const writer = new RecordBlockWriter(8);
      for (const { hi, lo, offset, time, key, value } of records) {
        assert.ok(writer.fits(offset));
        const bytes = value ?? new Uint8Array(0);
        writer.append(hi, lo, offset, time, key, 0, key.length, bytes, value === null ? -1 : 0, bytes.length);
      }
      const { baseOffset, baseTimeUnixMs } = writer;
      const reader = new RecordBlockReader().open(writer.finish(), baseOffset, baseTimeUnixMs);
      // Times are kept relative to the first record's; without one there, only unknown ones survive as they are.
      for (const { hi, lo, offset, time, key, value } of records) {
        assert.ok(reader.next());
        assert.deepEqual([reader.hi, reader.lo, reader.offset], [hi, lo, offset]);
        if (baseTimeUnixMs !== 0) assert.deepEqual(reader.timeUnixMs, time);
        assert.deepEqual(reader.bytes.slice(reader.keyStart, reader.keyEnd), key);
        if (value === null) assert.equal(reader.valueStart, -1);
        else assert.deepEqual(reader.bytes.slice(reader.valueStart, reader.valueEnd), value);
      }
      assert.equal(reader.next(), false);
    }),
  );
});

test('rubbish is refused, not read past its end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const reader = new RecordBlockReader().open(bytes, 0, 0);
      try {
        while (reader.next());
      } catch (error) {
        assert.ok(error instanceof RecordBlockError);
      }
    }),
    { numRuns: 2_000 },
  );
});
