import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import fc from 'fast-check';
import type { Job, KeyLocator } from '../job.ts';
import { Ingest } from './ingest.ts';
import { tableOfOne } from './test-table.test.ts';
import { UnitHolds } from './unit-holds.ts';

test('a unit is held until the last frame of its last refusal is settled, and is then forgotten', () => {
  const step = fc.record({
    sent: fc.nat(3),
    settled: fc.nat(4),
    refused: fc.uniqueArray(fc.nat(4), { minLength: 0, maxLength: 3 }),
  });
  const begin = fc.constantFrom(0, 2 ** 31 - 3, 2 ** 40);
  fc.assert(
    fc.property(begin, fc.array(step), (from, steps) => {
      const holds = new UnitHolds();
      const until = new Map<number, number>();
      let [sent, settled] = [from, from];
      for (const step of steps) {
        sent += step.sent;
        settled = Math.min(sent, settled + step.settled);
        if (step.refused.length > 0) {
          holds.hold(Uint32Array.from(step.refused.flatMap((unit) => [unit, 1])), sent);
          for (const unit of step.refused) until.set(unit, sent);
        }
        const isHeld = (unit: number) => (until.get(unit) ?? 0) > settled;
        for (let unit = 0; unit <= 4; unit++) assert.equal(holds.has(unit, 1, settled), isHeld(unit));
        assert.equal(holds.size, [0, 1, 2, 3, 4].filter(isHeld).length);
      }
    }),
  );
});

test('a refusal on a stream that has sent 2^31 frames holds its units like any other', () => {
  const value = Uint8Array.of(65);
  const table = tableOfOne(2);
  const locator = { keyBytes: value, keyStart: 0, keyEnd: 1, reason: '', locate: () => 0 } as unknown as KeyLocator;
  const self = { session: 1 as never, shard: 0 as never };
  const ingest = new Ingest({ self, job: { name: 'j' } as Job, leases: table, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, table.generationIndex())!;
  const one = (of: number) => Int32Array.of(of);
  const batch = {
    count: 1,
    bytes: value,
    nextOffset: 1,
    offsets: Float64Array.of(0),
    timestampsUnixMs: new Float64Array(1),
    keyStarts: one(-1),
    keyEnds: one(-1),
    valueStarts: one(0),
    valueEnds: one(1),
  };
  const stream = ingest.openStream({ session: 2 as never, shard: 0 as never });
  stream.sent = 2 ** 31;
  stream.settled = 2 ** 31;
  ingest.route(reading, reading.reading, batch, 0, locator, 1_000);
  ingest.flushAged(2_000, 1);
  const [frame] = stream.outbox.splice(0);
  const units = stream.unsettled[0]!.units.slice(0, 2);
  const { number } = frame!;
  ingest.onReturn(stream, { kind: 'refused', number: 1, frame: number, tableIndex: 10, units }, 2_000);
  const sendOn = (nowMs: number) => {
    ingest.retryParked(nowMs);
    ingest.flushAged(nowMs + 1_000, 1);
    return stream.outbox.splice(0).map((sent) => sent.number - 2 ** 31);
  };
  assert.deepEqual([ingest.parkedCount, sendOn(10_000)], [1, []]);
  ingest.onReturn(stream, { kind: 'applied', frame: number }, 10_000);
  assert.deepEqual([sendOn(10_001), ingest.parkedCount], [[2], 0]);
});
