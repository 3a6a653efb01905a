import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job, KeyLocator } from '../job.ts';
import type { LeaseView } from '../lease-view.ts';
import { Ingest } from './ingest.ts';

const self = { session: 1 as never, shard: 0 as never };
const noLeases = {
  session: 0,
  shard: 0,
  epoch: 0,
  tableIndex: () => 10,
  uncleanCount: () => 0,
  forcedCount: () => 0,
  generationIndex: () => 0,
  epochBase: () => 0,
  generation: () => 1,
  isLive: () => true,
  visitSome: () => 0,
  lookup: () => false,
} satisfies LeaseView;

test('a record without a user becomes a dead letter with its own key, headers and bytes', () => {
  const job = { name: 'j', version: '1' } as Job;
  const ingest = new Ingest({ self, job, leases: noLeases, deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 3 }, 1, 40);
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
