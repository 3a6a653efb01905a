import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latest } from './apis/list-offsets.ts';
import { KafkaError } from './errors.ts';
import { listedOffsets, offsetsSince } from './listed-offsets.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { Topics } from './topics.ts';

/** One partition whose records have these times; one more comes after each question. */
function growing(timesUnixMs: number[], nextUnixMs: number) {
  return async (timestampUnixMs: number): Promise<number[]> => {
    const found = timesUnixMs.findIndex((time) => time >= timestampUnixMs);
    const answer = timestampUnixMs === latest ? timesUnixMs.length : found;
    timesUnixMs.push(nextUnixMs);
    return [answer];
  };
}

test('a record that comes between two questions is not left out by a start at a time', async () => {
  assert.deepEqual(await offsetsSince(growing([1, 2], 10), 10), [2]);
  assert.deepEqual(await offsetsSince(growing([], 10), 10), [0]);
});

test('where no record is that late, reading begins at the end', async () => {
  assert.deepEqual(await offsetsSince(growing([1, 2], 3), 10), [2]);
  assert.deepEqual(await offsetsSince(growing([1, 12, 13], 3), 10), [1]);
});

test('a partition that an answer leaves out is asked for again, and is not one without records', async () => {
  const broker = await StandInBroker.start(1, { topicId: Buffer.alloc(16, 7), partition: ledBy(1, 0) });
  const limits = { backoffMsMin: 1, backoffMsMax: 1, retryTimeMs: 10_000 };
  const { cluster, clock } = clusterOf([broker.address], limits);
  const topics = new Topics(cluster);
  broker.onOffsets = () => (clock.nowMs += 1_000);
  try {
    await assert.rejects(
      listedOffsets(cluster, topics, 'topic', latest),
      (error) => error instanceof KafkaError && /^no offset of topic\/0 was in its leader's answer/.test(error.message),
    );
    broker.onOffsets = () => (broker.offsets = [[0, 42]]);
    assert.deepEqual(await listedOffsets(cluster, topics, 'topic', latest), [42]);
    broker.onOffsets = () => (broker.offsets = [[0, -1]]);
    assert.deepEqual(await listedOffsets(cluster, topics, 'topic', 10), [-1]);
  } finally {
    cluster.close();
    broker.stop();
  }
});
