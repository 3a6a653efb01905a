import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job, KeyLocator } from '../job.ts';
import { defaultRecordLimits } from '../limits.ts';
import { Ingest } from './ingest.ts';
import { tableOfOne } from './test-table.test.ts';

const table = tableOfOne(2);

test('a record that no frame can carry is a dead letter, and those around it go on', () => {
  const bytes = new Uint8Array(100);
  // Finds a key of one byte in anything: jobs may bring locators that bound nothing.
  const locator = { keyBytes: bytes, keyStart: 0, keyEnd: 1, reason: '', locate: () => 0 } as unknown as KeyLocator;
  const limits = { ...defaultRecordLimits, recordBytesMax: 50 };
  const job = { name: 'j', version: '1' } as Job;
  const self = { session: 1 as never, shard: 0 as never };
  const ingest = new Ingest({ self, job, leases: table, deadLetterTopic: 'dead', limits });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  const sizes = [49, 50, 10];
  const batch = {
    count: 3,
    bytes,
    nextOffset: 3,
    offsets: Float64Array.of(0, 1, 2),
    timestampsUnixMs: new Float64Array(3),
    keyStarts: Int32Array.of(-1, -1, -1),
    keyEnds: Int32Array.of(-1, -1, -1),
    valueStarts: Int32Array.of(0, 0, 0),
    valueEnds: Int32Array.from(sizes),
  };
  assert.equal(ingest.route(reading, reading.reading, batch, 0, locator, 1_000), 3);
  assert.equal(ingest.parkedCount, 2);
  const [letter, ...more] = ingest.outputs.take(10);
  assert.equal(more.length, 0);
  assert.equal(letter!.topic, 'dead');
  assert.equal(letter!.headers.reason, 'too-large');
  assert.equal(letter!.headers.offset, '1');
  assert.equal(letter!.value!.length, 50);
});
