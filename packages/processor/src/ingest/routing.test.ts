import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnit, topicId, unitHashOut } from '@holdfast/model';
import type { Job, KeyLocator } from '../job.ts';
import { defaultRecordLimits } from '../limits.ts';
import { Ingest } from './ingest.ts';
import { batchOfOne, locator, tableOfOne, value } from './test-table.test.ts';

const self = { session: 1 as never, shard: 0 as never };

/** Everything is leased to this very shard, until the test says otherwise. */
const table = tableOfOne(1);

test('records that come back when the table shows their next holder already leave at once', () => {
  const leases = { ...table };
  const ingest = new Ingest({ self, job: { name: 'j', version: '1' } as Job, leases, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  ingest.route(reading, reading.reading, batchOfOne, 0, locator, 1_000);
  const old = ingest.openStream(ingest.takeWantedStreams()[0]!);
  ingest.retryParked(1_000);
  ingest.flushLocal();
  Object.assign(leases, { session: 2, epoch: 7 });
  hashUnit(value, 0, 1);
  const units = Uint32Array.of(unitHashOut.hi, unitHashOut.lo);
  ingest.onReturn(old, { kind: 'refused', number: 1, frame: 1, tableIndex: 10, units }, 1_002);
  ingest.onReturn(old, { kind: 'applied', frame: 1 }, 1_002);
  ingest.retryParked(1_002);
  const [to] = ingest.takeWantedStreams();
  assert.deepEqual(to, { session: 2, shard: 0 });
  const next = ingest.openStream(to!);
  ingest.retryParked(1_003);
  assert.equal(next.sent, 1);
});

test('a refused unit rests: its closing holder is not asked again and again, its next one at once', () => {
  const ingest = new Ingest({ self, job: { name: 'j', version: '1' } as Job, leases: table, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  assert.equal(ingest.route(reading, reading.reading, batchOfOne, 0, locator, 1_000), 1);
  const stream = ingest.openStream(ingest.takeWantedStreams()[0]!);
  const sent = (nowMs: number): number => {
    ingest.retryParked(nowMs);
    ingest.flushLocal();
    return stream.sent;
  };
  assert.equal(sent(1_000), 1);
  hashUnit(value, 0, 1);
  const units = Uint32Array.of(unitHashOut.hi, unitHashOut.lo);
  const refuse = (number: number, nowMs: number): void => {
    ingest.onReturn(stream, { kind: 'refused', number, frame: number, tableIndex: 10, units }, nowMs);
    ingest.onReturn(stream, { kind: 'applied', frame: number }, nowMs);
  };
  refuse(1, 1_002);
  assert.equal(sent(1_002), 1, 'the shard itself is the holder: sent at once, it would come back at once, for ever');
  assert.equal(sent(1_021), 1);
  assert.equal(sent(1_022), 2, 'a holder may have opened the unit again');
  refuse(2, 1_023);
  table.epoch = 7;
  assert.equal(sent(1_024), 3, 'another lease');
  ingest.onReturn(stream, { kind: 'applied', frame: 3 }, 1_030);
  assert.equal(ingest.pauses.count, 1);
  assert.equal(ingest.pauses.percentile(0.99), 28, 'from the first refusal to the application');
});

test('a batch without records moves position and watermark past what the log keeps for itself', () => {
  const ingest = new Ingest({ self, job: { name: 'j', version: '1' } as Job, leases: table, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  const none = new Int32Array(0);
  const times = new Float64Array(0);
  const columns = { offsets: times, timestampsUnixMs: times, keyStarts: none, keyEnds: none, valueStarts: none };
  const batch = { count: 0, bytes: new Uint8Array(0), ...columns, valueEnds: none, nextOffset: 7 };
  assert.equal(ingest.route(reading, reading.reading, batch, 0, locator, 1_000), 0);
  assert.deepEqual([reading.position, ingest.durableWatermark(reading)], [7, 7]);
});

test('a record without a user becomes a dead letter with its own key, headers and bytes', () => {
  const job = { name: 'j', version: '1' } as Job;
  const ingest = new Ingest({ self, job, leases: table, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 3 }, 1, 40, table.generationIndex())!;
  const bytes = new TextEncoder().encode('key{bad');
  const batch = {
    count: 1,
    bytes,
    nextOffset: 42,
    offsets: Float64Array.of(41),
    timestampsUnixMs: Float64Array.of(0),
    keyStarts: Int32Array.of(0),
    keyEnds: Int32Array.of(3),
    valueStarts: Int32Array.of(3),
    valueEnds: Int32Array.of(7),
    headersOf: () => ({ trace: 'x', reason: 'mine' }),
  };
  const locator = { reason: 'bad_json', locate: () => 2 } as unknown as KeyLocator;
  assert.equal(ingest.route(reading, reading.reading, batch, 0, locator, 0), 1);
  const [letter] = ingest.outputs.take(10);
  assert.deepEqual(letter!.headers, {
    id: 'j/1/t/3/41/dead',
    reason: 'bad_json',
    job: 'j',
    version: '1',
    topic: 't',
    partition: '3',
    offset: '41',
    'key-is': 'record',
    'header.trace': 'x',
    'header.reason': 'mine',
  });
  assert.equal(letter!.topic, 'dead');
  assert.equal(new TextDecoder().decode(letter!.key!), 'key');
  assert.equal(new TextDecoder().decode(letter!.value!), '{bad');
});

test('while dead letters wait to be acknowledged a partition that brings more pauses: by their number, and by their bytes', () => {
  const job = { name: 'j', version: '1' } as Job;
  const locator = { reason: 'bad_json', locate: () => 2 } as unknown as KeyLocator;
  const count = 10;
  const batch = {
    count,
    bytes: Buffer.alloc(count),
    nextOffset: count,
    offsets: Float64Array.from({ length: count }, (_, i) => i),
    timestampsUnixMs: new Float64Array(count),
    keyStarts: new Int32Array(count).fill(-1),
    keyEnds: new Int32Array(count).fill(-1),
    valueStarts: Int32Array.from({ length: count }, (_, i) => i),
    valueEnds: Int32Array.from({ length: count }, (_, i) => i + 1),
  };
  for (const own of [{ outputsUnackedMax: 4 }, { outputBytesMax: 4 }]) {
    const limits = { ...defaultRecordLimits, ...own };
    const ingest = new Ingest({ self, job, leases: table, deadLetterTopic: 'dead', limits });
    const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 3 }, 1, 0, table.generationIndex())!;
    const route = (row: number) => ingest.route(reading, reading.reading, batch, row, locator, 0);
    assert.equal(route(0), 4);
    assert.equal(route(4), 4);
    const letters = ingest.outputs.take(10);
    assert.deepEqual([letters.length, letters[0]!.value!.buffer.byteLength], [4, 1], 'no view of the whole batch');
    ingest.outputs.acked = 4;
    assert.equal(route(4), 8);
  }
});
