import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { batchHeader } from './batch/batch-header.ts';
import { PartitionProducer } from './partition-producer.ts';
import { clusterOf, ledBy, type Produced, StandInBroker } from './test-support.test.ts';
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

const idOf = ({ batch }: Produced) => batch.readBigInt64BE(batchHeader.producerIdAt);

test('what a leader may have written before it stepped down is not halved, and nothing else has its number', async () => {
  const topicId = Buffer.alloc(16, 7);
  for (const error of [3, 6, 56]) {
    const first = await StandInBroker.start(1, { topicId, partition: ledBy(1, 5) });
    const second = await StandInBroker.start(2, { topicId, partition: ledBy(2, 6) });
    const brokers = [first.address, second.address];
    first.belief = { ...first.belief, brokers };
    second.belief = { ...second.belief, brokers };
    first.produceAnswer = { error, message: null };
    // Its limit is lower, and it looks at that first.
    second.produceAnswer = { error: 10, message: null };
    const { cluster } = clusterOf(brokers, { backoffMsMin: 1, backoffMsMax: 1 });
    const producer = new PartitionProducer(cluster, new Topics(cluster), 'topic', 0);
    const records = (text: string) => [...text].map((value) => ({ key: null, value: Buffer.from(value) }));
    try {
      await assert.rejects(
        producer.append(records('ab')),
        (error) => error instanceof LogError && error.code === 'LOG_IO' && /not known whether/.test(error.message),
      );
      assert.deepEqual(second.produced, first.produced);
      second.produceAnswer = { error: 0, message: null };
      assert.equal(await producer.append(records('cd')), 0);
      assert.equal(second.produced.length, 2);
      assert.notEqual(idOf(second.produced[1]!), idOf(first.produced[0]!));
    } finally {
      cluster.close();
      for (const broker of [first, second]) broker.stop();
    }
  }
});

test('an append of which no answer comes is tried again with the same bytes before it is given up', async () => {
  const broker = await StandInBroker.start(1, { topicId: Buffer.alloc(16, 7), partition: ledBy(1, 0) });
  const requestTimeoutMs = 300;
  const limits = { requestTimeoutMs, retryTimeMs: 2 * requestTimeoutMs, backoffMsMin: 1, backoffMsMax: 1 };
  const { cluster, clock } = clusterOf([broker.address], limits);
  const producer = new PartitionProducer(cluster, new Topics(cluster), 'topic', 0);
  broker.produceAnswer = null;
  broker.onProduce = () => (clock.nowMs += requestTimeoutMs);
  try {
    await assert.rejects(
      producer.append([{ key: null, value: Buffer.from('a') }]),
      (error) => error instanceof LogError && /no answer within 300 ms \(waited for Produce\)/.test(error.message),
    );
    const [first, second] = broker.produced;
    assert.equal(broker.produced.length, 2);
    assert.deepEqual(second, first);
    assert.equal(first!.timeoutMs, requestTimeoutMs / 2);
  } finally {
    cluster.close();
    broker.stop();
  }
});

test('a leader that can not append is left for its successor, of which it knows nothing', async () => {
  const topicId = Buffer.alloc(16, 7);
  const first = await StandInBroker.start(1, { topicId, partition: ledBy(1, 5) });
  const second = await StandInBroker.start(2, { topicId, partition: ledBy(2, 6) });
  const brokers = [first.address, second.address];
  first.belief = { ...first.belief, brokers };
  second.belief = { ...second.belief, brokers };
  // Its followers are gone to the other one.
  first.produceAnswer = { error: 7, message: 'the request timed out' };
  const { cluster } = clusterOf(brokers, { backoffMsMin: 1, backoffMsMax: 1 });
  const producer = new PartitionProducer(cluster, new Topics(cluster), 'topic', 0);
  try {
    assert.equal(await producer.append([{ key: null, value: Buffer.from('a') }]), 0);
    assert.deepEqual([first.produced.length, second.produced.length], [1, 1]);
  } finally {
    cluster.close();
    for (const broker of [first, second]) broker.stop();
  }
});
