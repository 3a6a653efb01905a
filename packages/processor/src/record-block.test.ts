import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkBlock, RecordBlockError, RecordBlockReader, RecordBlockWriter } from './record-block.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const record = fc.record({
  hi: u32,
  lo: u32,
  offset: fc.integer({ min: 2 ** 33, max: 2 ** 33 + 100_000 }),
  time: fc.oneof(fc.constantFrom(Number.NaN, 0, -1), fc.integer({ min: 0, max: 4e12 })),
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
      const { baseOffset } = writer;
      const block = writer.finish();
      checkBlock(block, baseOffset, records.length);
      assert.throws(() => checkBlock(block, baseOffset, records.length + 1), RecordBlockError);
      const reader = new RecordBlockReader().open(block, baseOffset);
      for (const { hi, lo, offset, time, key, value } of records) {
        assert.ok(reader.next());
        assert.deepEqual([reader.hi, reader.lo, reader.offset], [hi, lo, offset]);
        assert.deepEqual(reader.timeUnixMs, time);
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
      const reader = new RecordBlockReader().open(bytes, 0);
      let records = 0;
      let isRefused = false;
      try {
        while (reader.next()) records++;
      } catch (error) {
        assert.ok(error instanceof RecordBlockError);
        isRefused = true;
      }
      const check = () => checkBlock(bytes, 2 ** 31, records);
      if (isRefused) assert.throws(check, RecordBlockError);
      else check();
    }),
    { numRuns: 2_000 },
  );
});

test('lengths that pass 32 bits are refused, and offsets below 0', () => {
  for (const [keyLength, valueLength] of [
    [2 ** 32 - 28, 0],
    [2 ** 31, 0],
    [0, 2 ** 32 - 28],
    [2 ** 32 - 1, 2 ** 32 - 2],
  ] as const) {
    const bytes = new Uint8Array(28);
    const view = new DataView(bytes.buffer);
    view.setUint32(12, keyLength, true);
    view.setUint32(16, valueLength, true);
    assert.throws(() => new RecordBlockReader().open(bytes, 0).next(), RecordBlockError);
    assert.throws(() => checkBlock(bytes, 0, 1), RecordBlockError);
  }
  const below = new Uint8Array(28);
  new DataView(below.buffer).setInt32(8, -6, true);
  assert.throws(() => checkBlock(below, 5, 1), RecordBlockError);
  checkBlock(below, 6, 1);
});

test('a large record leaves nothing behind in the writer', () => {
  const writer = new RecordBlockWriter(16);
  const [large, none] = [new Uint8Array(3 * 1024 * 1024), new Uint8Array(0)];
  writer.append(1, 2, 0, 0, none, 0, 0, large, 0, large.length);
  const { length } = writer.finish();
  assert.ok(length > large.length);
  assert.equal(writer.capacityBytes, 16);
});
