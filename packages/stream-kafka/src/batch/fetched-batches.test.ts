import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewRecord } from '@holdfast/engine';
import type { RecordBatch } from '@holdfast/processor';
import fc from 'fast-check';
import type { AbortedTransaction, FetchAnswer } from '../apis/fetch.ts';
import { checksum } from '../codec/checksum.ts';
import { KafkaError } from '../errors.ts';
import { type Compression, compressions } from '../options.ts';
import { attributeBits, batchHeader } from './batch-header.ts';
import { encodeBatch } from './encode-batch.ts';
import { FetchedBatches } from './fetched-batches.ts';

const timeUnixMs = 1.75e12;
const limits = { decompressedBytesMax: 1 << 20 };

interface Written {
  readonly records: readonly NewRecord[];
  readonly compression?: Compression;
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** Offsets that the broker counts beyond the last record: compaction took them. */
  readonly gap?: number;
}

/** What a broker would store: offsets given, sums made anew. */
function stored(batches: readonly Written[]): Buffer {
  let offset = 0;
  return Buffer.concat(
    batches.map(
      ({ records, compression = 'none', producerId = -1, transactional = false, control = false, gap = 0 }) => {
        const stamp = { timeUnixMs, compression, producerId, producerEpoch: 0, baseSequence: 0, transactional };
        const bytes = Buffer.from(encodeBatch(records, stamp));
        bytes.writeBigInt64BE(BigInt(offset), 0);
        bytes.writeInt32BE(records.length - 1 + gap, batchHeader.lastOffsetDeltaAt);
        if (control) bytes.writeInt16BE(attributeBits.control | attributeBits.transactional, batchHeader.attributesAt);
        offset += records.length + gap;
        return resealed(bytes);
      },
    ),
  );
}

function resealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(checksum(batch.subarray(batchHeader.attributesAt)), batchHeader.crcAt);
  return batch;
}

function answer(bytes: Buffer, aborted: readonly AbortedTransaction[] = []): FetchAnswer {
  const end = bytes.length;
  return { error: 0, aborted, bytes, start: 0, end };
}

function fetched(
  bytes: Buffer,
  from = 0,
  aborted: readonly AbortedTransaction[] = [],
  nowUnixMs = timeUnixMs,
): FetchedBatches {
  return new FetchedBatches(answer(bytes, aborted), from, 'topic/0', limits, nowUnixMs);
}

/** What a broker brings of its log for a fetch: it begins with the batch that has the offset, or the next one. */
function broughtFrom(log: Buffer, offset: number): Buffer {
  let at = 0;
  while (at < log.length) {
    const last = Number(log.readBigInt64BE(at)) + log.readInt32BE(at + batchHeader.lastOffsetDeltaAt);
    if (last >= offset) break;
    at += batchHeader.lengthOverhead + log.readInt32BE(at + batchHeader.lengthAt);
  }
  return log.subarray(at);
}

function rowsOf(batch: RecordBatch): [number, string | null, string | null][] {
  const text = (start: number, end: number) =>
    start < 0 ? null : Buffer.from(batch.bytes.subarray(start, end)).toString('latin1');
  return Array.from({ length: batch.count }, (_, i) => [
    batch.offsets[i]!,
    text(batch.keyStarts[i]!, batch.keyEnds[i]!),
    text(batch.valueStarts[i]!, batch.valueEnds[i]!),
  ]);
}

function readAll(batches: FetchedBatches, bytesMax: number) {
  const rows: ReturnType<typeof rowsOf> = [];
  for (let batch = batches.next(bytesMax); batch !== null; batch = batches.next(bytesMax)) {
    rows.push(...rowsOf(batch));
    assert.equal(batch.nextOffset, batches.nextOffset);
  }
  return rows;
}

const values = (...texts: string[]): NewRecord[] => texts.map((text) => ({ key: null, value: Buffer.from(text) }));
const marker: Written = { records: [{ key: Buffer.from([0, 0, 0, 0]), value: null }], producerId: 7, control: true };

/** So many that their number takes two bytes. */
const many = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`h${i}`, 'x']));
const bytes = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
const record = fc.record({ key: bytes, value: bytes, headers: fc.constantFrom(undefined, { a: 'b', ü: '' }, many) });
const written = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 20 }),
  compression: fc.constantFrom(...compressions),
  gap: fc.constantFrom(0, 0, 3),
});

test('gives every record once and in order, whatever the compression, the pieces and the start', () => {
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(1, 50, 300, 1 << 20),
      fc.nat(40),
      (batches, bytesMax, from) => {
        let offset = 0;
        const text = (part: Uint8Array | null) => (part === null ? null : Buffer.from(part).toString('latin1'));
        const expected = batches.flatMap(({ records, gap }) => {
          const rows = records.map(({ key, value }, i) => [offset + i, text(key), text(value)]);
          offset += records.length + gap;
          return rows;
        });
        const all = fetched(broughtFrom(stored(batches as Written[]), from), from);
        assert.deepEqual(
          readAll(all, bytesMax),
          expected.filter(([at]) => (at as number) >= from),
        );
        assert.equal(all.nextOffset, Math.max(offset, from));
        assert.ok(all.isOver);
      },
    ),
  );
});

test('uncompressed records are the fetched bytes themselves', () => {
  const answered = stored([{ records: values('a', 'b') }, { records: values('c') }]);
  const batch = fetched(answered).next(1 << 20)!;
  assert.equal(batch.bytes, answered);
  assert.equal(batch.count, 3);
  assert.equal(batch.timestampsUnixMs[2], timeUnixMs);
});

test("a producer's time ahead of this clock is no append time: now is; a broker's time stands", () => {
  const bytes = stored([{ records: values('a') }]);
  const timeBy = (nowUnixMs: number) => fetched(bytes, 0, [], nowUnixMs).next(1 << 20)!.timestampsUnixMs[0];
  assert.deepEqual([timeBy(timeUnixMs + 1), timeBy(timeUnixMs - 1)], [timeUnixMs, timeUnixMs - 1]);
  bytes.writeInt16BE(attributeBits.logAppendTime, batchHeader.attributesAt);
  resealed(bytes);
  assert.equal(timeBy(timeUnixMs - 1), timeUnixMs);
});

test('a batch of the answer that is cut is left for the next fetch', () => {
  const answered = stored([{ records: values('a') }, { records: values('b') }]);
  const batches = fetched(answered.subarray(0, answered.length - 1));
  assert.deepEqual(readAll(batches, 1 << 20), [[0, null, 'a']]);
  assert.equal(batches.nextOffset, 1);
});

test('aborted transactions leave no record, committed ones do, and markers only move on', () => {
  const transaction = (...texts: string[]): Written => ({
    records: values(...texts),
    producerId: 7,
    transactional: true,
  });
  const bytes = stored([
    transaction('gone', 'gone too'), // 0, 1
    { records: values('another producer') }, // 2
    marker, // 3
    transaction('kept'), // 4
    marker, // 5
  ]);
  const batches = fetched(bytes, 0, [{ producerId: 7, firstOffset: 0 }]);
  assert.deepEqual(readAll(batches, 1 << 20), [
    [2, null, 'another producer'],
    [4, null, 'kept'],
  ]);
  assert.equal(batches.nextOffset, 6);
});

test('an answer of markers alone gives a batch without records that moves on', () => {
  const batch = fetched(stored([marker])).next(1 << 20)!;
  assert.deepEqual([batch.count, batch.nextOffset], [0, 1]);
});

test('damage stops at its position, after what lies before it', () => {
  const good = stored([{ records: values('a') }]);
  for (const compression of compressions) {
    const bad = stored([{ records: values('x'.repeat(500)), compression }]);
    bad.writeBigInt64BE(1n, 0);
    for (const at of [batchHeader.magicAt, batchHeader.crcAt, batchHeader.attributesAt, bad.length - 1]) {
      const bent = Buffer.from(bad);
      bent[at]! ^= 0x55;
      const batches = fetched(Buffer.concat([good, bent]));
      assert.deepEqual(rowsOf(batches.next(1 << 20)!), [[0, null, 'a']]);
      assert.equal(batches.isOver, false);
      for (let i = 0; i < 2; i++) {
        assert.throws(
          () => batches.next(1 << 20),
          (error) => error instanceof KafkaError && error.code === 'CORRUPT' && /offset 1 /.test(error.message),
        );
      }
    }
  }
});

test('a batch of an aborted transaction that is damaged is not passed over: it may say more than it has', () => {
  const bytes = stored([
    { records: values('a') },
    { records: values('gone'), producerId: 7, transactional: true },
    marker,
    { records: values('kept') },
  ]);
  const first = stored([{ records: values('a') }]).length;
  bytes[first + batchHeader.lastOffsetDeltaAt + 3]! ^= 2;
  const batches = fetched(bytes, 0, [{ producerId: 7, firstOffset: 1 }]);
  assert.deepEqual(rowsOf(batches.next(1 << 20)!), [[0, null, 'a']]);
  for (let i = 0; i < 2; i++) assert.throws(() => batches.next(1 << 20), /at offset 1 .*checksum does not match/);
  assert.equal(batches.nextOffset, 1);
});

test('a batch whose first offset goes back is damaged, after what lies before it', () => {
  const one = (offset: number, compression: Compression, ...texts: string[]) => {
    const bytes = stored([{ records: values(...texts), compression }]);
    bytes.writeBigInt64BE(BigInt(offset), 0);
    return bytes;
  };
  for (const compression of compressions) {
    // Below the one before, at the same offset, and within it.
    for (const offset of [2, 5, 6]) {
      const batches = fetched(Buffer.concat([one(5, compression, 'a', 'b'), one(offset, compression, 'c')]), 5);
      assert.deepEqual(rowsOf(batches.next(1 << 20)!), [
        [5, null, 'a'],
        [6, null, 'b'],
      ]);
      for (let i = 0; i < 2; i++) assert.throws(() => batches.next(1 << 20), new RegExp(`at offset ${offset} `));
      assert.equal(batches.nextOffset, 7);
    }
    // A reading may begin within a batch, and compaction leaves gaps.
    const batches = fetched(Buffer.concat([one(5, compression, 'a', 'b'), one(9, compression, 'c')]), 6);
    assert.deepEqual(readAll(batches, 1 << 20), [
      [6, null, 'b'],
      [9, null, 'c'],
    ]);
  }
});

test('a broken record behind a valid sum stops after the records before it', () => {
  const bad = stored([{ records: values('b', 'c') }]);
  bad.writeBigInt64BE(1n, 0);
  // The last record's length, of one byte, says more than there is.
  const { length } = stored([{ records: values('b') }]);
  bad[length] = 60;
  const batches = fetched(Buffer.concat([stored([{ records: values('a') }]), resealed(bad)]));
  assert.deepEqual(rowsOf(batches.next(1 << 20)!), [
    [0, null, 'a'],
    [1, null, 'b'],
  ]);
  assert.equal(batches.nextOffset, 2);
  for (let i = 0; i < 2; i++) assert.throws(() => batches.next(1 << 20), /reaches beyond its batch/);
  assert.equal(batches.nextOffset, 2);
});

test('a varint that is longer than any number breaks its record, wherever it is', () => {
  const overlong = Buffer.alloc(11, 0x80);
  // Length, attributes, time, offset, key, value, headers; each varint in turn has no end.
  for (const place of [0, 2, 3, 4, 5]) {
    const fields = [60, 0, 0, 0, 1, 1, 0].map((byte) => Buffer.of(byte));
    const record = Buffer.concat(fields.with(place, Buffer.concat([overlong, fields[place]!])));
    const head = stored([{ records: values('x') }]).subarray(0, batchHeader.bytes);
    const bytes = Buffer.concat([head, record, Buffer.alloc(40)]);
    bytes.writeInt32BE(bytes.length - batchHeader.lengthOverhead, batchHeader.lengthAt);
    assert.throws(() => fetched(resealed(bytes)).next(1 << 20), /a record reaches beyond its batch/, `field ${place}`);
  }
});

test('of malformed headers those before the fault are read, and nothing of the next record', () => {
  const records = [
    { key: null, value: Buffer.from('a'), headers: { first: '1', second: '2' } },
    { key: null, value: Buffer.from('b'), headers: { of: 'another' } },
    { key: null, value: Buffer.from('c') },
  ];
  const headersOf = (change: (bytes: Buffer) => void) => {
    const bytes = stored([{ records }]);
    change(bytes);
    const batch = fetched(resealed(bytes)).next(1 << 20)!;
    assert.deepEqual(batch.headersOf!(1), { of: 'another' });
    return batch.headersOf!(0);
  };
  const countAt = (bytes: Buffer) => bytes.indexOf('first') - 2;
  assert.deepEqual(
    headersOf(() => undefined),
    { first: '1', second: '2' },
  );
  // 36 headers, no number, and a name that is longer than the record.
  assert.deepEqual(
    headersOf((bytes) => void (bytes[countAt(bytes)] = 72)),
    { first: '1', second: '2' },
  );
  assert.deepEqual(
    headersOf((bytes) => void bytes.fill(0xff, countAt(bytes), bytes.indexOf('second'))),
    {},
  );
  assert.deepEqual(
    headersOf((bytes) => void (bytes[bytes.indexOf('second') - 1] = 0x7e)),
    { first: '1' },
  );
});

test('a batch that grows beyond the limit is an error, not memory', () => {
  for (const compression of compressions) {
    if (compression === 'none') continue;
    const bomb = stored([{ records: values('0'.repeat(8 << 20)), compression }]);
    assert.ok(bomb.length < (1 << 20) / 2, `${compression} packs it into ${bomb.length} bytes`);
    assert.throws(() => fetched(bomb).next(1 << 20), /decompressed to at most 1048576 bytes/);
  }
});

test('whatever follows a valid sum, nothing is read beyond its batch', () => {
  const base = stored([{ records: values('first', 'second', 'third') }]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: batchHeader.countAt, max: base.length - 1 }), fc.nat(255)), { minLength: 1 }),
      (changes) => {
        const bent = Buffer.from(base);
        for (const [at, byte] of changes) bent[at] = byte;
        try {
          const batch = fetched(resealed(bent)).next(1 << 20);
          for (let i = 0; i < (batch?.count ?? 0); i++) {
            assert.ok(batch!.valueEnds[i]! <= bent.length && batch!.keyEnds[i]! <= bent.length);
          }
        } catch (error) {
          assert.ok(error instanceof KafkaError, String(error));
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
