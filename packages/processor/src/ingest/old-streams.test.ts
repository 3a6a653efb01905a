import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnit, topicId, unitHashOut } from '@holdfast/model';
import type { Job } from '../job.ts';
import { Ingest } from './ingest.ts';
import { batchOfOne, locator, tableOfOne, value } from './test-table.test.ts';

test('what comes back on a stream that has ended counts for nothing, though frames of the next have the same numbers', () => {
  const self = { session: 1 as never, shard: 0 as never };
  const leases = tableOfOne(2);
  const ingest = new Ingest({ self, job: { name: 'j', version: '1' } as Job, leases, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, 0)!;
  const send = () => {
    assert.equal(ingest.route(reading, reading.reading, batchOfOne, 0, locator, 0), 1);
    const [to] = ingest.takeWantedStreams();
    const stream = ingest.openStream(to!);
    ingest.retryParked(0);
    ingest.flushAged(1_000, 0);
    assert.equal(stream.sent, 1);
    return stream;
  };
  const old = send();
  ingest.onStreamEnd(old);
  assert.equal(reading.position, 0);
  const next = send();
  hashUnit(value, 0, 1);
  const units = Uint32Array.of(unitHashOut.hi, unitHashOut.lo);
  ingest.onReturn(old, { kind: 'applied', frame: 1 }, 0);
  ingest.onReturn(old, { kind: 'durable', frame: 1, tableIndex: 10 }, 0);
  assert.deepEqual([next.settled, ingest.durableWatermark(reading)], [0, 0]);
  ingest.onReturn(old, { kind: 'refused', number: 1, frame: 1, tableIndex: 10, units }, 0);
  assert.deepEqual([next.refusalSeen, ingest.parkedCount], [0, 0]);
  ingest.onReturn(next, { kind: 'applied', frame: 1 }, 0);
  ingest.onReturn(next, { kind: 'durable', frame: 1, tableIndex: 10 }, 0);
  assert.equal(ingest.durableWatermark(reading), 1);
});
