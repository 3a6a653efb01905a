import type { PlantedBug } from './planted-tests.ts';

const producer = 'packages/stream-kafka/src/partition-producer.test.ts';
const reader = 'packages/stream-kafka/src/kafka-reader.test.ts';
const batches = 'packages/stream-kafka/src/batch/fetched-batches.test.ts';
const kafkaJsPath = 'packages/stream-kafka/src/kafkajs/kafkajs-record-path.test.ts';

/** Bugs of the Kafka adapter, seen by its unit tests over stand-ins for brokers. */
export const kafkaBugs: readonly PlantedBug[] = [
  {
    name: 'Kafka: what a leader says when it steps down is believed of what it has appended',
    invariant: 'P6',
    file: 'packages/stream-kafka/src/partition-producer.ts',
    find: '[-1, 3, 6, 7, 20, 56]',
    replace: '[-1, 7, 20]',
    tests: [producer],
  },
  {
    name: 'Kafka: what is too large after a try of unknown outcome keeps its number',
    invariant: 'P6',
    file: 'packages/stream-kafka/src/partition-producer.ts',
    find: 'if (tooLarge.has(error) && !unclear) {',
    replace: 'if (tooLarge.has(error)) {',
    tests: [producer],
  },
  {
    name: 'Kafka: a producer of kafkajs goes on behind a batch that was too large',
    invariant: 'P6',
    file: 'packages/stream-kafka/src/kafkajs/current-producer.ts',
    find: 'this.#leave(life);\n',
    replace: "if ((error as { type?: string }).type !== 'MESSAGE_TOO_LARGE') this.#leave(life);\n",
    tests: [kafkaJsPath],
  },
  {
    name: 'Kafka: a leader may wait at an append as long as its answer is waited for',
    invariant: 'P6',
    file: 'packages/stream-kafka/src/partition-producer.ts',
    find: 'Math.floor(this.#cluster.options.requestTimeoutMs / 2)',
    replace: 'this.#cluster.options.requestTimeoutMs',
    tests: [producer],
  },
  {
    name: 'Kafka: what is passed over is not looked at',
    invariant: 'I6',
    file: 'packages/stream-kafka/src/batch/fetched-batches.ts',
    find: '        this.#checkSum(end);\n        this.#checkOrder();\n        const codec',
    replace:
      '        if (!this.#isPassedOver()) this.#checkSum(end);\n        this.#checkOrder();\n        const codec',
    tests: [batches],
  },
  {
    name: 'Kafka: a batch whose first offset goes back is passed over as one that was read',
    invariant: 'I6',
    file: 'packages/stream-kafka/src/batch/fetched-batches.ts',
    find: '        this.#checkOrder();\n',
    replace: '',
    tests: [batches],
  },
  {
    name: 'Kafka: a reader that has failed says nothing until a record comes',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/kafka-reader.ts',
    find: 'if (this.#failing) batch ??= emptyBatch(this.#position);',
    replace: '',
    tests: [reader],
  },
  {
    name: 'Kafka: a reader over kafkajs that has failed says nothing until a record comes',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/kafkajs/kafkajs-reader.ts',
    find: 'this.#failing = true;',
    replace: '',
    tests: ['packages/stream-kafka/src/kafkajs/kafkajs-reader.test.ts'],
  },
  {
    name: 'Kafka: headers are read on into the next record',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/batch/record-headers.ts',
    find: 'new WireReader(bytes, at, end)',
    replace: 'new WireReader(bytes, at, Math.max(end, bytes.length))',
    tests: [batches],
  },
  {
    name: 'Kafka: headers that can not be read end the shard',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/batch/record-headers.ts',
    find: '} catch {',
    replace: '} catch (error) {\n    throw error;',
    tests: [batches],
  },
  {
    name: 'Kafka: a varint without end is a number',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/batch/record-columns.ts',
    find: 'if (scale > varintScaleMax) return Number.NaN;',
    replace: '',
    tests: [batches],
  },
  {
    name: 'Kafka: a coordinator that is known is where it was',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/group-offsets.ts',
    find: 'this.#lost.has(group) || ',
    replace: '',
    tests: ['packages/stream-kafka/src/group-offsets.test.ts'],
  },
  {
    name: 'Kafka: a broker that knows nobody yet says that a topic is gone',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/topics.ts',
    find: 'if (brokers.length > 0) return null;',
    replace: 'if (brokers.length >= 0) return null;',
    tests: ['packages/stream-kafka/src/topics.test.ts'],
  },
  {
    name: 'Kafka: a topic that is there is created again',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/kafka-log.ts',
    find: 'if (found !== null) return infoOf(found);',
    replace: 'if (found !== null && !createAllowed) return infoOf(found);',
    tests: ['packages/stream-kafka/src/kafka-log.test.ts'],
  },
  {
    name: 'Kafka: a topic that is there already is waited for until it has leaders',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/topics.ts',
    find: 'if (topic !== null && created === null) return topic;',
    replace:
      'if (topic !== null && created === null && topic.partitions.every(({ leader }) => leader >= 0)) return topic;',
    tests: ['packages/stream-kafka/src/kafka-log.test.ts'],
  },
  {
    name: 'Kafka: a broker that refuses this client speaks for all',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/cluster.ts',
    find: "error.code === 'CLOSED') throw error;",
    replace: "error.code === 'CLOSED' || error.code === 'DENIED') throw error;",
    tests: ['packages/stream-kafka/src/cluster.test.ts'],
  },
  {
    name: 'Kafka: a token that can not be read for a moment is no try of a connection',
    invariant: 'I8',
    file: 'packages/stream-kafka/src/wire/sasl.ts',
    find: "throw new KafkaError('UNREACHABLE', ",
    replace: "throw cause ?? new KafkaError('UNREACHABLE', ",
    tests: ['packages/stream-kafka/src/cluster.test.ts'],
  },
];
