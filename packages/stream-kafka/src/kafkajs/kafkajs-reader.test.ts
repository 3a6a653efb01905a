import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { topicId } from '@holdfast/model';
import type { Consumer, Kafka } from 'kafkajs';
import { clusterOf, ledBy, StandInBroker, until } from '../test-support.test.ts';
import { Topics } from '../topics.ts';
import { KafkaJsReader } from './kafkajs-reader.ts';

const inside = createRequire(import.meta.url);
const createConsumer = inside('kafkajs/src/consumer');
const { createErrorFromCode } = inside('kafkajs/src/protocol/error');
const { KafkaJSOffsetOutOfRange } = inside('kafkajs/src/errors');
const offsetOutOfRange = 1;
const id = Buffer.alloc(16, 5);
const partition = { topicId: topicId(id.toString('base64url')), partition: 0 };

interface Stored {
  readonly kind: 'record' | 'aborted' | 'marker';
  /** When it is made an engine batch of. */
  readonly onUse?: () => void;
}

/** kafkajs's own consumer over one partition of a log: a stand-in for its connections. */
class Partition {
  stored: Stored[] = [];
  /** The first offset that is kept. */
  start = 0;
  recordsPerFetch = 10;
  readonly fetched: number[] = [];
  /** Of the topic: kafkajs joins its group anew when it sees another one, whatever is under way. */
  partitions = 1;
  joins = 0;

  get kafka(): Kafka {
    return { consumer: (options: object) => this.#consumer(options) } as unknown as Kafka;
  }

  add(kind: Stored['kind'], count = 1, onUse?: () => void): void {
    for (let i = 0; i < count; i++) this.stored.push({ kind, ...(onUse === undefined ? {} : { onUse }) });
  }

  #consumer(options: object): Consumer {
    const logger: Record<string, unknown> = { namespace: () => logger };
    for (const level of ['info', 'debug', 'warn', 'error']) logger[level] = () => undefined;
    const nothing = async () => undefined;
    const offsets = (offset: number) => [{ topic: 'topic', partitions: [{ partition: 0, offset: String(offset) }] }];
    const broker = {
      nodeId: 1,
      isConnected: () => true,
      joinGroup: async () => ({
        generationId: 1,
        leaderId: 'member',
        memberId: 'member',
        members: [{ memberId: 'member' }],
        groupProtocol: 'holdfast-one-partition',
      }),
      syncGroup: async ({ groupAssignment }: { groupAssignment: readonly { memberAssignment: Buffer }[] }) => ({
        memberAssignment: groupAssignment[0]!.memberAssignment,
      }),
      heartbeat: nothing,
      leaveGroup: nothing,
      offsetCommit: nothing,
      offsetFetch: async () => ({ responses: offsets(-1) }),
      fetch: async ({
        topics: [
          {
            partitions: [{ fetchOffset }],
          },
        ],
      }: {
        topics: [{ partitions: [{ fetchOffset: string }] }];
      }) => this.#fetch(Number(fetchOffset)),
    };
    const committed = {};
    const cluster = {
      connect: nothing,
      disconnect: nothing,
      refreshMetadata: nothing,
      refreshMetadataIfNecessary: nothing,
      addMultipleTargetTopics: nothing,
      findGroupCoordinator: async () => broker,
      findBroker: async () => broker,
      findTopicPartitionMetadata: () =>
        Array.from({ length: this.partitions }, (_, partitionId) => ({ partitionId, leader: 1 })),
      getNodeIds: () => [1, 2],
      committedOffsets: () => committed,
      defaultOffset: () => -2,
      fetchTopicsOffset: async () => offsets(this.start),
    };
    const retry = { retries: 5, initialRetryTime: 1, maxRetryTime: 2 };
    const consumer = createConsumer({ ...options, logger, cluster, retry, metadataMaxAge: 300_000 });
    consumer.on(consumer.events.GROUP_JOIN, () => this.joins++);
    return consumer;
  }

  async #fetch(offset: number) {
    this.fetched.push(offset);
    await new Promise((resolve) => setImmediate(resolve));
    const end = this.stored.length;
    if (offset < this.start || offset > end) {
      throw new KafkaJSOffsetOutOfRange(createErrorFromCode(offsetOutOfRange), { topic: 'topic', partition: 0 });
    }
    const found = this.stored.slice(offset, offset + this.recordsPerFetch);
    if (found.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const messages = found.map(({ kind, onUse }, i) => {
      const at = offset + i;
      return {
        offset: String(at),
        get timestamp() {
          onUse?.();
          return '1';
        },
        // The first four bytes of a marker's key: an abort.
        key: kind === 'marker' ? Buffer.alloc(4) : null,
        value: Buffer.from(`record ${at}`),
        headers: {},
        isControlRecord: kind === 'marker',
        batchContext: { producerId: kind === 'record' ? '1' : '7', inTransaction: kind !== 'record' },
      };
    });
    const aborted = this.stored.findIndex(({ kind }) => kind === 'aborted');
    const abortedTransactions = aborted < 0 ? [] : [{ producerId: '7', firstOffset: String(aborted) }];
    const answer = { partition: 0, highWatermark: String(end), abortedTransactions, messages };
    return { responses: [{ topicName: 'topic', partitions: [answer] }] };
  }
}

async function reading(
  log: Partition,
  from: number,
  run: (reader: KafkaJsReader, broker: StandInBroker) => Promise<void>,
): Promise<void> {
  const broker = await StandInBroker.start(1, { topicId: id, partition: ledBy(1, 0) });
  const { cluster, clock } = clusterOf([broker.address], { fetchWaitMs: 5 });
  const timer = setInterval(() => (clock.nowMs += 10), 10);
  const range = async () => ({ start: log.start, end: log.stored.length });
  const topics = new Topics(cluster);
  const reader = new KafkaJsReader(log.kafka, cluster, topics, range, 'topic', partition, from, () => undefined);
  try {
    await run(reader, broker);
  } finally {
    await reader.close();
    clearInterval(timer);
    cluster.close();
    broker.stop();
  }
}

/** Offsets as they are given out, until the reader stands at `end`. */
async function offsetsTo(reader: KafkaJsReader, end: number, bytesMax = 1 << 20): Promise<number[]> {
  const offsets: number[] = [];
  for (let at = -1; at < end; ) {
    const batch = await reader.next(bytesMax, 5_000);
    assert.ok(batch !== null, `nothing came behind ${at}`);
    offsets.push(...batch.offsets);
    at = batch.nextOffset;
  }
  return offsets;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('an aborted transaction larger than one fetch is passed over', async () => {
  const log = new Partition();
  log.add('record', 3);
  log.add('aborted', 50);
  log.add('marker');
  log.add('record', 20);
  await reading(log, 0, async (reader) => {
    assert.deepEqual(await offsetsTo(reader, 74), [...numbers(0, 3), ...numbers(54, 74)]);
  });
  assert.ok(log.fetched.length < 30, `${log.fetched.length} fetches`);
});

test('what a seek brings again is not given out again, and nothing behind it is passed over', async () => {
  const log = new Partition();
  log.add('record', 100);
  await reading(log, 40, async (reader) => {
    const offsets: number[] = [];
    while (offsets.length < 60) {
      const batch = await reader.next(30, 5_000);
      assert.ok(batch !== null, `nothing came behind ${offsets.at(-1)}`);
      offsets.push(...batch.offsets);
      // In the midst of what was fetched kafkajs is told where the reader is: what it fetches next begins there.
      if (batch.offsets[0]! % 10 === 0) {
        const { joins } = log;
        log.partitions++;
        await until(() => log.joins > joins);
      }
    }
    assert.deepEqual(offsets, numbers(40, 100));
    assert.ok(log.fetched.includes(43), 'nothing was fetched again');
  });
});

test('a reset of kafkajs behind a gap of retention is no pass over: the offset is out of range, each time', async () => {
  const log = new Partition();
  log.add('record', 60);
  await reading(log, 0, async (reader) => {
    assert.deepEqual(await offsetsTo(reader, 10), numbers(0, 10));
    // Before kafkajs looks again: it fetches ahead only when what it has is used up.
    log.start = 40;
    const outOfRange = (error: unknown) => error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE';
    const readOn = async () => {
      while ((await reader.next(1 << 20, 2_000)) !== null);
    };
    await assert.rejects(readOn(), outOfRange);
    await assert.rejects(readOn(), outOfRange);
  });
});

test('the first answer after a failure that brings nothing is a batch without records', async () => {
  const log = new Partition();
  log.start = 1;
  await reading(log, 0, async (reader) => {
    const failed = (error: unknown) => error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE';
    for (let i = 0; i < 2; i++) await assert.rejects(reader.next(1 << 20, 5_000), failed);
    log.start = 0;
    const batch = await reader.next(1 << 20, 5_000);
    assert.deepEqual([batch?.count, batch?.nextOffset], [0, 0]);
    assert.equal(await reader.next(1 << 20, 20), null);
    log.add('record', 2);
    assert.deepEqual(await offsetsTo(reader, 2), [0, 1]);
  });
});

test('a topic that was made anew is told of each time, however well its fetches are answered', async () => {
  const log = new Partition();
  log.add('record', 2);
  await reading(log, 0, async (reader, broker) => {
    assert.deepEqual(await offsetsTo(reader, 2), [0, 1]);
    broker.belief = { ...broker.belief, topicId: Buffer.alloc(16, 6) };
    const changed = (error: unknown) => error instanceof LogError && error.code === 'TOPIC_CHANGED';
    for (let i = 0; i < 3; i++) {
      await assert.rejects(reader.next(1 << 20, 5_000), changed);
      const { length } = log.fetched;
      await until(() => log.fetched.length > length + 2);
    }
  });
});

test('records of which no batch could be made are given out the next time', async () => {
  const log = new Partition();
  let memory = false;
  log.add('record', 5, () => {
    if (!memory) throw new RangeError('Array buffer allocation failed');
  });
  log.add('record', 5);
  await reading(log, 0, async (reader) => {
    await assert.rejects(reader.next(1 << 20, 5_000), RangeError);
    memory = true;
    assert.deepEqual(await offsetsTo(reader, 10), numbers(0, 10));
  });
});
