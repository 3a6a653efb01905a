import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import type { Kafka, Producer } from 'kafkajs';
import { clusterOf, until } from '../test-support.test.ts';
import { Topics } from '../topics.ts';
import { KafkaJsRecordPath } from './kafkajs-record-path.ts';

const inside = createRequire(import.meta.url);
const createProducer = inside('kafkajs/src/producer');
const { createErrorFromCode } = inside('kafkajs/src/protocol/error');
const { Partitioners } = inside('kafkajs');
const notEnoughReplicasAfterAppend = 20;
const messageTooLarge = 10;
const notLeader = 6;
const invalidRecord = 87;

interface Produced {
  readonly producerId: number;
  readonly topicData: readonly {
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence: number;
      readonly messages: readonly { readonly value: Buffer }[];
    }[];
  }[];
}

/**
 * kafkajs's own producer over a broker that tells a repeat as Kafka does: by the producer's id, and the sequence numbers
 * of the first and the last record.
 */
class Broker {
  readonly logs = new Map<number, string[]>();
  /** What each produce request is answered with after its records are there; 0: well. */
  answer: (partition: number, values: readonly string[]) => number | Promise<number> = () => 0;
  recordsMax = Number.POSITIVE_INFINITY;
  producers = 0;
  disconnects = 0;
  readonly #known = new Map<string, number>();

  get kafka(): Kafka {
    return { producer: (options: object) => this.#producer(options) } as unknown as Kafka;
  }

  #producer(options: object): Producer {
    const logger: Record<string, unknown> = { namespace: () => logger };
    for (const level of ['info', 'debug', 'warn', 'error']) logger[level] = () => undefined;
    const producerId = ++this.producers;
    // Each partition is led by another broker: kafkajs sends one request at a time to each.
    const brokers = [0, 1].map((nodeId) => ({
      nodeId,
      initProducerId: async () => ({ producerId, producerEpoch: 0 }),
      produce: (request: Produced) => this.#produce(request),
    }));
    const retry = { retries: 2, initialRetryTime: 1, maxRetryTime: 2 };
    const nothing = async () => undefined;
    const cluster = {
      retry,
      isConnected: () => true,
      connect: nothing,
      disconnect: async () => void this.disconnects++,
      refreshMetadata: nothing,
      refreshMetadataIfNecessary: nothing,
      addMultipleTargetTopics: nothing,
      removeBroker: () => undefined,
      findTopicPartitionMetadata: () => [0, 1].map((partitionId) => ({ partitionId, leader: partitionId })),
      findLeaderForPartitions: (_: string, [partition]: readonly string[]) => ({ [partition!]: [Number(partition)] }),
      findBroker: async ({ nodeId }: { nodeId: string }) => brokers[Number(nodeId)],
      findControllerBroker: async () => brokers[0],
    };
    return createProducer({ ...options, logger, cluster, retry, createPartitioner: Partitioners.DefaultPartitioner });
  }

  async #produce({ producerId, topicData }: Produced) {
    const [{ partition, firstSequence, messages }] = topicData[0]!.partitions as [
      Produced['topicData'][0]['partitions'][0],
    ];
    if (messages.length > this.recordsMax) throw createErrorFromCode(messageTooLarge);
    const log = this.logs.get(partition) ?? [];
    this.logs.set(partition, log);
    const values = messages.map(({ value }) => String(value));
    const id = `${partition}/${producerId}/${firstSequence}/${messages.length}`;
    const baseOffset = this.#known.get(id) ?? log.length;
    if (!this.#known.has(id)) log.push(...values);
    this.#known.set(id, baseOffset);
    const error = await this.answer(partition, values);
    if (error !== 0) throw createErrorFromCode(error);
    const partitions = [{ partition, errorCode: 0, baseOffset: String(baseOffset) }];
    return { topics: [{ topicName: 'letters', partitions }] };
  }
}

function pathOn(broker: Broker): KafkaJsRecordPath {
  const { cluster } = clusterOf([{ nodeId: 1, host: '127.0.0.1', port: 9 }]);
  return new KafkaJsRecordPath(cluster, new Topics(cluster), broker.kafka);
}

const record = (text: string) => ({ key: null, value: Buffer.from(text) });

test('what follows an append of unknown outcome is written, and not taken for its repeat', async () => {
  const broker = new Broker();
  const path = pathOn(broker);
  broker.answer = (_, [value]) => (value === 'A' ? notEnoughReplicasAfterAppend : 0);
  const first = path.append('letters', 0, [record('A')]);
  const second = path.append('letters', 0, [record('B')]);
  await assert.rejects(first, (error) => error instanceof LogError && error.code === 'LOG_IO' && error.appended === 0);
  assert.equal(await second, 1);
  broker.answer = () => 0;
  assert.equal(await path.append('letters', 0, [record('A')]), 2);
  assert.deepEqual(broker.logs.get(0), ['A', 'B', 'A']);
  await path.close();
});

test('what follows a batch that is there, and was too large when it was tried again, is not taken for its repeat', async () => {
  const broker = new Broker();
  const path = pathOn(broker);
  broker.answer = () => {
    // The leader steps down; its successor's limit is lower.
    broker.recordsMax = 0;
    return notLeader;
  };
  await assert.rejects(
    path.append('letters', 0, [record('A')]),
    (error) => error instanceof LogError && error.code === 'RECORD_TOO_LARGE',
  );
  broker.recordsMax = 1;
  broker.answer = () => 0;
  assert.equal(await path.append('letters', 0, [record('B')]), 1);
  assert.deepEqual(broker.logs.get(0), ['A', 'B']);
  await path.close();
});

test('appends of other partitions end with the producer that they began with, which is disconnected then', async () => {
  const broker = new Broker();
  const path = pathOn(broker);
  let release = (_: number) => {};
  const held = new Promise<number>((resolve) => (release = resolve));
  broker.answer = (partition, [value]) => (partition === 1 ? held : value === 'A' ? notEnoughReplicasAfterAppend : 0);
  const slow = path.append('letters', 1, [record('slow')]);
  const behind = path.append('letters', 1, [record('behind it')]);
  await until(() => broker.logs.get(1)?.length === 1);
  await assert.rejects(path.append('letters', 0, [record('A')]));
  assert.equal(await path.append('letters', 0, [record('B')]), 1);
  assert.deepEqual([broker.producers, broker.disconnects], [2, 0]);
  release(0);
  assert.deepEqual(await Promise.all([slow, behind]), [0, 1]);
  assert.deepEqual(broker.logs.get(1), ['slow', 'behind it']);
  await until(() => broker.disconnects === 1);
  assert.equal(broker.producers, 2);
  await path.close();
  assert.equal(broker.disconnects, 2);
});

test('a batch that is too large is halved with another producer, and the next one is not larger', async () => {
  const broker = new Broker();
  broker.recordsMax = 2;
  const path = pathOn(broker);
  assert.equal(await path.append('letters', 0, ['a', 'b', 'c', 'd', 'e'].map(record)), 0);
  assert.deepEqual(broker.logs.get(0), ['a', 'b', 'c', 'd', 'e']);
  assert.equal(broker.producers, 2);
  assert.equal(await path.append('letters', 0, ['f', 'g', 'h', 'i', 'j'].map(record)), 5);
  assert.equal(broker.producers, 2);
  await path.close();
});

test('an append that waits while the log is closed fails, and begins no other producer', async () => {
  const broker = new Broker();
  const path = pathOn(broker);
  let release = (_: number) => {};
  broker.answer = () => new Promise<number>((resolve) => (release = resolve));
  const first = path.append('letters', 0, [record('A')]);
  const second = path.append('letters', 0, [record('B')]);
  await until(() => broker.logs.get(0)?.length === 1);
  await path.close();
  release(0);
  assert.equal(await first, 0);
  await assert.rejects(second, (error) => error instanceof LogError && error.code === 'LOG_CLOSED');
  assert.equal(broker.producers, 1);
});

test('a record that its topic refuses says why that may be', async () => {
  const broker = new Broker();
  const path = pathOn(broker);
  broker.answer = () => invalidRecord;
  await assert.rejects(
    path.append('letters', 0, [record('without a key')]),
    (error) => error instanceof LogError && error.code === 'LOG_IO' && /must not be compacted/.test(error.message),
  );
  await path.close();
});
