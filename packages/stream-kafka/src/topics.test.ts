import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { KafkaError } from './errors.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { Topics } from './topics.ts';

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
