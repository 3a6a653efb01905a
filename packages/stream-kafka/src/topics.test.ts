import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { KafkaError } from './errors.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { leaderOf, Topics } from './topics.ts';

test('a topic without an id is refused: with one id for all, records of one topic would count as those of another', async () => {
  const broker = await StandInBroker.start(1, { topicId: Buffer.alloc(16), partition: ledBy(1, 0) });
  const { cluster } = clusterOf([broker.address]);
  const topics = new Topics(cluster);
  try {
    await assert.rejects(
      topics.look('logins'),
      (error: unknown) =>
        error instanceof KafkaError &&
        error.code === 'PROTOCOL' &&
        /topic logins: .*inter\.broker\.protocol\.version/.test(error.message),
    );
    broker.belief = { ...broker.belief, topicId: Buffer.alloc(16, 7) };
    assert.equal((await topics.look('logins'))?.id, Buffer.alloc(16, 7).toString('base64url'));
  } finally {
    cluster.close();
    broker.stop();
  }
});

test('a broker that has just started, and knows no topic yet, is no word about any', async () => {
  const id = Buffer.alloc(16, 7);
  const unknown = { brokers: [], topicError: 3, topicId: id, partition: ledBy(1, 0) };
  const broker = await StandInBroker.start(1, unknown);
  const { cluster } = clusterOf([broker.address]);
  const topics = new Topics(cluster);
  const passing = (error: unknown) => error instanceof KafkaError && error.code === 'UNREACHABLE' && error.retriable;
  try {
    await assert.rejects(topics.same('logins', topicId(id.toString('base64url'))), passing);
    await assert.rejects(topics.existing('logins'), passing);
    broker.belief = { ...unknown, brokers: [broker.address] };
    assert.equal(await topics.look('logins'), null);
  } finally {
    cluster.close();
    broker.stop();
  }
});

test('partitions are known by their numbers: one that an answer leaves out has no leader, and no other one its place', async () => {
  const third = { ...ledBy(1, 4), partition: 2 };
  const broker = await StandInBroker.start(1, { topicId: Buffer.alloc(16, 7), partition: third });
  const { cluster } = clusterOf([broker.address]);
  try {
    const topic = await new Topics(cluster).existing('logins');
    assert.equal(topic.partitions.length, 3);
    assert.deepEqual(leaderOf(topic, 2), third);
    for (const left of [0, 1])
      assert.throws(
        () => leaderOf(topic, left),
        (error) => error instanceof KafkaError && error.retriable && error.message.includes(`logins/${left}`),
      );
  } finally {
    cluster.close();
    broker.stop();
  }
});
