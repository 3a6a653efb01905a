import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job } from '../job.ts';
import { defaultRecordLimits } from '../limits.ts';
import { Ingest } from './ingest.ts';
import { batchOfOne, locator, tableOfOne, value } from './test-table.test.ts';

const partitions = 20;

test('what is being built of many partitions counts as in flight: a holder never gets more than it may be sent', () => {
  const bytesInFlightMax = 100;
  const leases = tableOfOne(2);
  const ingest = new Ingest({
    self: { session: 1 as never, shard: 0 as never },
    job: { name: 'j', version: '1' } as Job,
    leases,
    deadLetterTopic: 'dead',
    limits: { ...defaultRecordLimits, bytesInFlightMax },
  });
  const readings = Array.from(
    { length: partitions },
    (_, partition) => ingest.startPartition('t', { topicId: topicId('T'), partition }, 1, 0, leases.generationIndex())!,
  );
  const routed = () =>
    readings.filter((reading) => {
      if (reading.position > 0) return false;
      return ingest.route(reading, reading.reading, batchOfOne, 0, locator, 1_000) === 1;
    }).length;
  // The first is parked, for want of a stream.
  assert.ok(routed() > 0);
  const [to] = ingest.takeWantedStreams();
  const stream = ingest.openStream(to!);
  let settled = 0;
  for (let rounds = 0; settled < partitions; rounds++) {
    assert.ok(rounds < partitions, 'it goes on as frames are settled');
    ingest.retryParked(1_000);
    routed();
    ingest.flushAged(2_000, 1);
    const frames = stream.outbox.splice(0);
    const bytes = frames.reduce((sum, { block }) => sum + block.length, 0);
    assert.ok(bytes < bytesInFlightMax + 2 * (28 + 2 * value.length + 3), `${bytes} bytes at once`);
    settled += frames.length;
    ingest.onReturn(stream, { kind: 'applied', frame: settled }, 1_001);
  }
});
