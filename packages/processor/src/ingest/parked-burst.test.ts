import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job, KeyLocator } from '../job.ts';
import { defaultRecordLimits } from '../limits.ts';
import { Ingest } from './ingest.ts';
import { tableOfOne } from './test-table.test.ts';

const records = 50;
const value = Uint8Array.of(65);
const table = tableOfOne(2);
const locator = { keyBytes: value, keyStart: 0, keyEnd: 1, reason: '', locate: () => 0 } as unknown as KeyLocator;
const ints = (of: (i: number) => number) => Int32Array.from({ length: records }, (_, i) => of(i));

test('parked records of a unit leave no faster than frames may be in flight', () => {
  const limits = { ...defaultRecordLimits, frameRecordsMax: 2, framesInFlightMax: 4 };
  const job = { name: 'j', version: '1' } as Job;
  const self = { session: 1 as never, shard: 0 as never };
  const ingest = new Ingest({ self, job, leases: table, deadLetterTopic: 'dead', limits });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  const batch = {
    count: records,
    bytes: value,
    nextOffset: records,
    offsets: Float64Array.from({ length: records }, (_, i) => i),
    timestampsUnixMs: new Float64Array(records),
    keyStarts: ints(() => -1),
    keyEnds: ints(() => -1),
    valueStarts: ints(() => 0),
    valueEnds: ints(() => 1),
  };
  // There is no stream yet, so all of them are parked.
  assert.equal(ingest.route(reading, reading.reading, batch, 0, locator, 1_000), records);
  const stream = ingest.openStream(ingest.takeWantedStreams()[0]!);
  let first = 0;
  for (let settled = 0; first < records; ) {
    ingest.retryParked(1_000);
    ingest.flushAged(2_000, 1);
    assert.ok(ingest.framesInFlight <= limits.framesInFlightMax, `${ingest.framesInFlight} in flight`);
    const frames = stream.outbox.splice(0);
    assert.ok(frames.length > 0);
    for (const { baseOffset, count } of frames) {
      assert.equal(baseOffset, first);
      first += count;
    }
    assert.equal(ingest.parkedCount, records - first);
    settled += frames.length;
    ingest.onReturn(stream, { kind: 'applied', frame: settled }, 1_001);
  }
});
