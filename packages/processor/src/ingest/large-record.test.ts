import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job, KeyLocator } from '../job.ts';
import { defaultRecordLimits, keyBytesMax } from '../limits.ts';
import { Ingest } from './ingest.ts';
import { tableOfOne } from './test-table.test.ts';

const table = tableOfOne(2);

/** Routes three records with these places of key and value in one buffer. @returns how many wait for a holder, and the letters */
function routed(keyEnds: readonly number[], valueEnds: readonly number[], recordBytesMax: number) {
  const bytes = new Uint8Array(2_000);
  let row = 0;
  // Finds a key in anything: jobs may bring locators that bound nothing.
  const locator = {
    keyBytes: bytes,
    keyStart: 0,
    keyEnd: 0,
    reason: '',
    locate(this: { keyEnd: number }) {
      this.keyEnd = keyEnds[row++]!;
      return 0;
    },
  } as unknown as KeyLocator;
  const limits = { ...defaultRecordLimits, recordBytesMax };
  const job = { name: 'j', version: '1' } as Job;
  const self = { session: 1 as never, shard: 0 as never };
  const ingest = new Ingest({ self, job, leases: table, deadLetterTopic: 'dead', limits });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  const batch = {
    count: 3,
    bytes,
    nextOffset: 3,
    offsets: Float64Array.of(0, 1, 2),
    timestampsUnixMs: new Float64Array(3),
    keyStarts: Int32Array.of(-1, -1, -1),
    keyEnds: Int32Array.of(-1, -1, -1),
    valueStarts: Int32Array.of(0, 0, 0),
    valueEnds: Int32Array.from(valueEnds),
  };
  assert.equal(ingest.route(reading, reading.reading, batch, 0, locator, 1_000), 3);
  const letters = ingest.outputs.take(10).map(({ topic, headers, value }) => ({
    topic,
    reason: headers.reason,
    offset: headers.offset,
    bytes: value!.length,
  }));
  return { waiting: ingest.parkedCount, letters };
}

test('a record that no frame can carry is a dead letter, and those around it go on', () => {
  const { waiting, letters } = routed([1, 1, 1], [49, 50, 10], 50);
  assert.equal(waiting, 2);
  assert.deepEqual(letters, [{ topic: 'dead', reason: 'too-large', offset: '1', bytes: 50 }]);
});

test('so is one whose key is longer than any may be, whatever the locator of its job takes (F40)', () => {
  const { waiting, letters } = routed([keyBytesMax, keyBytesMax + 1, 1], [1_500, 1_500, 1_500], 5_000);
  assert.equal(waiting, 2);
  assert.deepEqual(letters, [{ topic: 'dead', reason: 'key-too-long', offset: '1', bytes: 1_500 }]);
});
