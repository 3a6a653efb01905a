import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job, KeyLocator } from '../job.ts';
import { Ingest } from './ingest.ts';
import { tableOfOne, value } from './test-table.test.ts';

test('a record whose key locator throws is a dead letter, and those around it go on', () => {
  const locator = {
    keyBytes: value,
    keyStart: 0,
    keyEnd: 1,
    reason: 'of the record before',
    locate(_bytes: Uint8Array, start: number) {
      if (start === 1) throw new RangeError('no such field');
      return 0;
    },
  } as unknown as KeyLocator;
  const self = { session: 1 as never, shard: 0 as never };
  const table = tableOfOne(2);
  const ingest = new Ingest({ self, job: { name: 'j', version: '1' } as Job, leases: table, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  const none = Int32Array.of(-1, -1, -1);
  const batch = {
    count: 3,
    bytes: new Uint8Array(4),
    nextOffset: 3,
    offsets: Float64Array.of(0, 1, 2),
    timestampsUnixMs: new Float64Array(3),
    keyStarts: none,
    keyEnds: none,
    valueStarts: Int32Array.of(0, 1, 2),
    valueEnds: Int32Array.of(1, 2, 3),
  };
  assert.equal(ingest.route(reading, reading.reading, batch, 0, locator, 1_000), 3);
  assert.equal(ingest.parkedCount, 2);
  const letters = ingest.outputs.take(10).map(({ headers }) => `${headers.reason}@${headers.offset}`);
  assert.deepEqual(letters, ['key-error@1']);
});
