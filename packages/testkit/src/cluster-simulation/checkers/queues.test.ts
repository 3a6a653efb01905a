import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { defaultRecordLimits } from '@holdfast/processor';
import { watched } from '../../simulation/checkers/test-watch.test.ts';
import type { EngineShard } from '../engine-shard.ts';
import { FullQueues } from './full-queues.ts';
import { QueueBounds } from './queue-bounds.ts';
import { StreamFlights } from './stream-flights.ts';

const partition = { topicId: topicId('id-of-in'), partition: 0 };

test('I21: queues over their limits', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new QueueBounds(report, {
    ...defaultRecordLimits,
    framesInFlightMax: 4,
    parkedRecordsMax: 10,
    frameRecordsMax: 1,
  });
  const shard = (levels: Record<string, number>) =>
    ({ settings: { serial: 1 }, stats: { get: (name: string) => levels[name] ?? 0 } }) as unknown as EngineShard;
  checker.look(shard({ streamsOpen: 2, framesInFlight: 8, parkedRecords: 12 }));
  sawNothing();
  checker.look(shard({ streamsOpen: 1, framesInFlight: 40 }));
  saw('I21');
  checker.look(shard({ streamsOpen: 1, parkedRecords: 400 }));
  saw('I21');
});

test('I21: what joins a queue that is full, by count or by bytes', () => {
  const { report, saw, sawNothing } = watched();
  const limits = { parkedRecordsMax: 10, parkedBytesMax: 100, outputsUnackedMax: 4, outputBytesMax: 60 };
  const checker = new FullQueues(report, { ...defaultRecordLimits, ...limits });
  const outputs = { unacked: 0, queuedBytes: 0, emitted: 0 };
  const ingest = { parkedCount: 0, parkedBytes: 0, outputs };
  const route = (levels: Partial<typeof ingest>, published: Partial<typeof outputs> = {}): void =>
    checker.route(
      ingest,
      () => 20,
      () => void Object.assign(ingest, levels, { outputs: Object.assign(outputs, published) }),
    );
  route({ parkedCount: 10, parkedBytes: 119 });
  // What came back from a holder may be more.
  Object.assign(ingest, { parkedCount: 40, parkedBytes: 400 });
  route({});
  route({ parkedCount: 12, parkedBytes: 130 });
  sawNothing();
  route({ parkedCount: 13 });
  saw('I21');
  Object.assign(ingest, { parkedCount: 1, parkedBytes: 10 });
  route({ parkedBytes: 120 });
  saw('I21');
  route({}, { emitted: 4, unacked: 4, queuedBytes: 79 });
  sawNothing();
  route({}, { emitted: 5 });
  saw('I21');
  Object.assign(outputs, { unacked: 0, queuedBytes: 0 });
  route({}, { emitted: 10, unacked: 5 });
  saw('I21');
  Object.assign(outputs, { unacked: 0, queuedBytes: 59 });
  route({}, { emitted: 11, queuedBytes: 80 });
  saw('I21');
  const takeFrame = (before: Partial<typeof outputs>, emitted: number): void => {
    Object.assign(outputs, before);
    checker.takeFrame(outputs, () => void Object.assign(outputs, { emitted }));
  };
  takeFrame({ emitted: 11, unacked: 3, queuedBytes: 59 }, 20);
  takeFrame({ unacked: 4 }, 20);
  sawNothing();
  takeFrame({ unacked: 4, queuedBytes: 0 }, 21);
  saw('I21');
  takeFrame({ unacked: 0, queuedBytes: 60 }, 22);
  saw('I21');
  assert.ok(Object.values(checker.met).every((times) => times > 0));
});

test('I21: more frames in flight on a stream than it may have, or more bytes', () => {
  const { report, saw, sawNothing } = watched();
  const flights = new StreamFlights(report, { ...defaultRecordLimits, framesInFlightMax: 3, bytesInFlightMax: 100 });
  const stream = () => {
    const flight = flights.newStream();
    let sent = 0;
    return {
      send: (bytes: number, of = 0) =>
        flight.sent({ number: ++sent, partition: { ...partition, partition: of }, block: new Uint8Array(bytes) }),
      settle: (frame: number) => flight.returned({ kind: 'applied', frame }),
    };
  };
  const counted = stream();
  // Three, one of each partition that was being built when the last of them was begun, and one that its start sent off.
  for (const number of [0, 0, 0, 1, 0]) counted.send(1, number);
  counted.settle(4);
  for (const number of [0, 0, 1, 0]) counted.send(1, number);
  sawNothing();
  counted.send(1);
  saw('I21');
  const weighed = stream();
  weighed.send(99);
  weighed.send(500);
  weighed.send(90);
  sawNothing();
  weighed.settle(1);
  weighed.send(99);
  sawNothing();
  weighed.send(20);
  saw('I21');
});
