import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LogError, type LogErrorCode, type LogReader } from '@holdfast/engine';
import type { RecordBatch } from '@holdfast/processor';
import { type Compression, compressions, type KafkaLog, kafkaClients } from '@holdfast/stream-kafka';
import { partitionOf, readRecords, textRecords } from '@holdfast/testkit';
import kafkajs from 'kafkajs';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService } from './kafka.ts';

const bytesMax = 1 << 20;
const waitMs = 5_000;

function fails(code: LogErrorCode, text = /./): (error: unknown) => boolean {
  return (error) => error instanceof LogError && error.code === code && text.test(error.message);
}

/** Batches until the reader stands at the offset. */
async function readTo(reader: LogReader, offset: number): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  while ((batches.at(-1)?.nextOffset ?? 0) < offset) {
    const batch = await reader.next(bytesMax, waitMs);
    assert.ok(batch !== null, `nothing beyond ${batches.at(-1)?.nextOffset} of ${offset}`);
    batches.push(batch);
  }
  return batches;
}

describe('records of a real Kafka', () => {
  let service: KafkaService;
  let log: KafkaLog;
  let kafka: kafkajs.Kafka;
  before(async () => {
    service = await KafkaService.start({ configs: { 'log.cleaner.backoff.ms': '200' } });
    log = await service.open();
    kafka = new kafkajs.Kafka({ brokers: service.plain, logLevel: kafkajs.logLevel.NOTHING });
  });
  after(async () => {
    await log?.close();
    await service?.stop();
  });

  for (const client of kafkaClients) {
    for (const compression of compressions) {
      // The broker packs anew what it is told to store in another form: so Java's codec reads ours, and ours Java's.
      test(`${client}: ${compression} both ways, through the broker's own codec`, async () => {
        const own = await service.open({ client, compression });
        const texts = Array.from({ length: 3_000 }, (_, i) => `record ${i} ${'abc'.repeat(i % 40)}`);
        for (const stored of [compression, compression === 'zstd' ? 'gzip' : 'zstd', 'uncompressed'] as const) {
          const name = `codec-${client}-${compression}-${stored}`;
          const configs = { 'compression.type': stored === 'none' ? 'uncompressed' : stored };
          const topic = await own.createKafkaTopic(name, 1, { configs });
          await own.append(name, 0, textRecords(texts));
          const reader = await own.openReader(name, partitionOf(topic, 0), 0);
          const read = await readRecords(reader, texts.length, 20_000);
          assert.deepEqual(
            read.map(({ value }) => value),
            texts,
          );
        }
        await own.close();
      });
    }
  }

  test('the broker packs what is produced plainly, by each codec', async () => {
    for (const stored of compressions.filter((name): name is Exclude<Compression, 'none'> => name !== 'none')) {
      const name = `packed-${stored}`;
      const topic = await log.createKafkaTopic(name, 1, { configs: { 'compression.type': stored } });
      const texts = Array.from({ length: 20_000 }, (_, i) => `${i} ${'the same again and again '.repeat(4)}`);
      await log.append(name, 0, textRecords(texts));
      const reader = await log.openReader(name, partitionOf(topic, 0), 0);
      const read = await readRecords(reader, texts.length, 100_000);
      assert.deepEqual(
        read.map(({ value }) => value),
        texts,
      );
    }
  });

  test('transactions: aborted records are passed over, and markers do not hold up the position', async () => {
    const name = 'transactions';
    const topic = await log.createTopic(name, 1);
    const producer = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const [texts, end] of [
      [['a', 'b'], 'commit'],
      [['gone', 'gone too'], 'abort'],
      [['c'], 'commit'],
      [['gone at the end'], 'abort'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: name, messages: texts.map((value) => ({ value, partition: 0 })) });
      await transaction[end]();
    }
    await producer.disconnect();
    // Six records and four markers; a marker is written after the client has its answer.
    const end = 10;
    await waitFor('the last marker', 10_000, async () => ((await log.endOffsets(name))[0] === end ? true : null));
    const reader = await log.openReader(name, partitionOf(topic, 0), 0);
    const batches = await readTo(reader, end);
    const read = batches.flatMap((batch) =>
      Array.from({ length: batch.count }, (_, i) =>
        Buffer.from(batch.bytes.subarray(batch.valueStarts[i]!, batch.valueEnds[i]!)).toString(),
      ),
    );
    assert.deepEqual(read, ['a', 'b', 'c']);
    assert.equal(batches.at(-1)!.nextOffset, end);
    await log.commit('tx-job', [{ partition: partitionOf(topic, 0), offset: end, generationId: 'life', fence: 1 }]);
    assert.deepEqual(await log.lag('tx-job', name), [{ partition: 0, committed: end, end, lag: 0 }]);

    const uncommitted = await service.open({ isolation: 'read_uncommitted' });
    const dirty = await readTo(await uncommitted.openReader(name, partitionOf(topic, 0), 0), end);
    assert.equal(
      dirty.reduce((sum, { count }) => sum + count, 0),
      6,
    );
    await uncommitted.close();
  });

  for (const client of kafkaClients) {
    test(`${client}: an aborted transaction larger than one fetch is passed over`, async () => {
      const name = `large-abort-${client}`;
      const own = await service.open({ client });
      const topic = await own.createTopic(name, 1);
      await own.append(name, 0, textRecords(['before']));
      const producer = kafka.producer({ transactionalId: name, maxInFlightRequests: 1, idempotent: true });
      await producer.connect();
      const transaction = await producer.transaction();
      // kafkajs fetches a MiB.
      for (let i = 0; i < 5; i++) {
        await transaction.send({ topic: name, messages: [{ value: Buffer.alloc(700 * 1024), partition: 0 }] });
      }
      await transaction.abort();
      await producer.disconnect();
      await own.append(name, 0, textRecords(['behind']));
      const reader = await own.openReader(name, partitionOf(topic, 0), 0);
      const read = await readRecords(reader, 2, 20_000);
      assert.deepEqual(
        read.map(({ value }) => value),
        ['before', 'behind'],
      );
      await own.close();
    });
  }

  test('an open transaction is waited for', async () => {
    const name = 'open-transaction';
    const topic = await log.createTopic(name, 1);
    const producer = kafka.producer({ transactionalId: 'tx-open', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: name, messages: [{ value: 'slow', partition: 0 }] });
    await log.append(name, 0, textRecords(['behind it']));
    const reader = await log.openReader(name, partitionOf(topic, 0), 0);
    assert.equal(await reader.next(bytesMax, 700), null);
    await transaction.commit();
    await producer.disconnect();
    const read = await readRecords(reader, 2);
    assert.deepEqual(
      read.map(({ value }) => value),
      ['slow', 'behind it'],
    );
  });

  test('gaps of compaction are passed over', async () => {
    const name = 'compacted';
    const configs = {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '100',
    };
    const topic = await log.createKafkaTopic(name, 1, { configs });
    const keyed = (i: number) => ({ key: Buffer.from(`key ${i % 5}`), value: Buffer.from(`${i}`) });
    for (let i = 0; i < 100; i++) await log.append(name, 0, [keyed(i)]);
    const read = await waitFor('compaction', 30_000, async () => {
      // A new segment has to begin before the old ones are compacted.
      const last = await log.append(name, 0, [{ key: Buffer.from('rolls'), value: Buffer.from('') }]);
      const reader = await log.openReader(name, partitionOf(topic, 0), 0);
      const batches = await readTo(reader, last + 1);
      await reader.close();
      const offsets = batches.flatMap(({ offsets, count }) => [...offsets.subarray(0, count)]);
      return offsets.length < 50 ? { offsets, last } : null;
    });
    assert.deepEqual(
      read.offsets,
      [...read.offsets].sort((a, b) => a - b),
    );
    for (let i = 95; i < 100; i++) assert.ok(read.offsets.includes(i), `the last record of key ${i % 5}`);
  });

  for (const client of kafkaClients) {
    test(`${client}: an offset that retention took is out of range, and the first one kept is told`, async () => {
      const own = await service.open({ client });
      const name = `trimmed-${client}`;
      const topic = await own.createTopic(name, 1);
      for (let i = 0; i < 10; i++) await own.append(name, 0, textRecords([`${i}`]));
      const admin = kafka.admin();
      await admin.connect();
      // It knows only topics that it has been asked about.
      await admin.fetchTopicOffsets(name);
      await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '4' }] });
      await admin.disconnect();
      assert.deepEqual(await own.offsetsAt(name, 'earliest'), [4]);
      const late = await own.openReader(name, partitionOf(topic, 0), 2);
      await assert.rejects(late.next(bytesMax, waitMs), fails('OFFSET_OUT_OF_RANGE', /offset 2 .*4 to 10/));
      const reader = await own.openReader(name, partitionOf(topic, 0), 4);
      assert.equal((await readRecords(reader, 6))[0]!.value, '4');
      await own.close();
    });

    test(`${client}: key and headers arrive at other clients`, async () => {
      const own = await service.open({ client });
      const name = `headers-${client}`;
      await own.createTopic(name, 1);
      const id = 'job/1/in/0/17/0';
      await own.append(name, 0, [{ key: Buffer.from('k'), value: Buffer.from('v'), headers: { id, ü: 'ä' } }]);
      const consumer = kafka.consumer({ groupId: `headers-${client}`, maxWaitTimeInMs: 100 });
      await consumer.connect();
      await consumer.subscribe({ topics: [name], fromBeginning: true });
      const message = await new Promise<kafkajs.KafkaMessage>((resolve) => {
        void consumer.run({ eachMessage: async ({ message }) => resolve(message) });
      });
      await consumer.disconnect();
      assert.equal(message.key!.toString(), 'k');
      assert.deepEqual(
        Object.entries(message.headers!).map(([header, value]) => [header, String(value)]),
        [
          ['id', id],
          ['ü', 'ä'],
        ],
      );
      await own.close();
    });
  }

  test("Kafka's own tool shows the job's offsets and lag", async () => {
    const topic = await log.createTopic('shown', 2);
    await log.append('shown', 0, textRecords(['a', 'b', 'c']));
    const commit = { partition: partitionOf(topic, 0), offset: 1, generationId: 'life', fence: 9 };
    await log.commit('shown-job', [commit]);
    const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
    const args = ['--bootstrap-server', service.plain[0]!, '--describe', '--group', 'shown-job'];
    const line = (await service.run(tool, args)).split('\n').find((line) => line.includes('shown '));
    assert.match(line ?? '', /shown-job\s+shown\s+0\s+1\s+3\s+2\s/);
    const lag = await log.lag('shown-job', 'shown');
    assert.deepEqual(lag, [
      { partition: 0, committed: 1, end: 3, lag: 2 },
      { partition: 1, committed: null, end: 0, lag: 0 },
    ]);
  });

  test("another tool's commit is told apart, and another consumer in the group is refused", async () => {
    const topic = await log.createTopic('shared', 1);
    await log.append('shared', 0, textRecords(['a', 'b']));
    const admin = kafka.admin();
    await admin.connect();
    await admin.setOffsets({ groupId: 'shared-job', topic: 'shared', partitions: [{ partition: 0, offset: '1' }] });
    await admin.disconnect();
    const partition = partitionOf(topic, 0);
    assert.deepEqual(await log.committed('shared-job', partition), { offset: 1, generationId: null });
    const commit = { partition, offset: 2, generationId: 'life', fence: 1 };
    assert.deepEqual(await log.commit('shared-job', [commit]), ['ok']);
    const consumer = kafka.consumer({ groupId: 'shared-job', maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: ['shared'] });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => undefined, autoCommit: false });
    await joined;
    await assert.rejects(log.commit('shared-job', [commit]), fails('LOG_IO', /other consumers are members/));
    await consumer.disconnect();
  });

  test('creates topics with partitions and retention, or says that it may not', async () => {
    const name = 'kept-a-day';
    const made = await log.createKafkaTopic(name, 3, { retentionMs: 86_400_000 });
    assert.equal(made.partitions, 3);
    assert.match(made.topicId, /^[\w-]{22}$/);
    const admin = kafka.admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['retention.ms'] }],
    });
    await admin.disconnect();
    assert.equal(resources[0]!.configEntries[0]!.configValue, '86400000');
    assert.deepEqual(
      (await log.partitions(name)).map(({ leader, inSync }) => [leader, inSync]),
      [0, 1, 2].map(() => [1, [1]]),
    );
    const bound = await service.open({ createTopics: { allowed: false } });
    assert.equal((await bound.createTopic(name, 9)).partitions, 3);
    await assert.rejects(bound.createTopic('not-there', 1), fails('UNKNOWN_TOPIC', /not-there.*createTopics.allowed/));
    await bound.close();
  });

  for (const client of kafkaClients) {
    test(`${client}: a record above the default limit of the brokers is refused with topic and size, all else is not`, async () => {
      const own = await service.open({ client });
      const name = `default-limit-${client}`;
      const topic = await own.createTopic(name, 1);
      const texts = ['a'.repeat(1_000_000), 'b'.repeat(1 << 20), 'c'];
      const text = new RegExp(
        `${name}/0: a record of about 10486\\d\\d bytes .*MESSAGE_TOO_LARGE.*max\\.message\\.bytes`,
      );
      await assert.rejects(own.append(name, 0, textRecords(texts)), (error) => {
        return fails('RECORD_TOO_LARGE', text)(error) && (error as LogError).appended === 1;
      });
      await own.append(name, 0, textRecords(['c']));
      const read = await readRecords(await own.openReader(name, partitionOf(topic, 0), 0), 2);
      assert.deepEqual(
        read.map(({ value }) => value!.length),
        [1_000_000, 1],
      );
      await own.close();
    });
  }
});
