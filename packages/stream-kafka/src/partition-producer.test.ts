import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { PartitionProducer } from './partition-producer.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { Topics } from './topics.ts';

test('a record that its topic refuses says why that may be, and is taken once the topic takes it', async () => {
  const broker = await StandInBroker.start(1, { topicId: Buffer.alloc(16, 7), partition: ledBy(1, 0) });
  const { cluster } = clusterOf([broker.address]);
  const producer = new PartitionProducer(cluster, new Topics(cluster), 'letters', 0);
  const records = [{ key: null, value: Buffer.from('without a key') }];
  try {
    broker.produceAnswer = { error: 87, message: 'a compacted topic takes no record without a key' };
    await assert.rejects(
      producer.append(records),
      (error) =>
        error instanceof LogError &&
        error.code === 'LOG_IO' &&
        /letters\/0: INVALID_RECORD \(a compacted topic .*\): .* must not be compacted/.test(error.message),
    );
    broker.produceAnswer = { error: 0, message: null };
    assert.equal(await producer.append(records), 0);
  } finally {
    cluster.close();
    broker.stop();
  }
});
