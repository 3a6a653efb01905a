import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { silentLogger } from '@holdfast/model';
import { KafkaLog } from './kafka-log.ts';
import { type Belief, ledBy, StandInBroker } from './test-support.test.ts';

const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
const limits = { backoffMsMin: 1, backoffMsMax: 1, retryTimeMs: 300 };
const notAllowed = 29;
const alreadyExists = 36;
const topicId = Buffer.alloc(16, 7);
const there = { topicId, partition: ledBy(1, 0) };
const notThere = { ...there, topicError: 3 };

/** A log on one broker, which believes this. */
async function onBroker(
  belief: Belief,
  run: (log: KafkaLog, broker: StandInBroker) => Promise<void>,
  allowed = true,
): Promise<void> {
  const broker = await StandInBroker.start(1, belief);
  const { host, port } = broker.address;
  const options = { brokers: [`${host}:${port}`], limits, createTopics: { allowed } };
  const log = await KafkaLog.open(options, { clock, logger: silentLogger });
  try {
    await run(log, broker);
  } finally {
    await log.close();
    broker.stop();
  }
}

test('who may not create topics is given one that is there, also where a partition of it has no leader', async () => {
  await onBroker({ topicId, partition: ledBy(-1, 0) }, async (log, broker) => {
    broker.createError = notAllowed;
    const { partitions, topicId: id } = await log.createTopic('out', 3);
    assert.deepEqual([partitions, id, broker.creations], [1, topicId.toString('base64url'), 0]);
  });
});

test('a topic that is not there is created once, and waited for until it has leaders', async () => {
  await onBroker(notThere, async (log, broker) => {
    broker.onCreate = () => {
      broker.belief = { ...there, partition: ledBy(-1, 0) };
      setTimeout(() => (broker.belief = there), 20);
    };
    assert.equal((await log.createTopic('out', 1)).topicId, topicId.toString('base64url'));
    assert.deepEqual([broker.creations, broker.belief], [1, there]);
  });
});

test('a topic that another one has just created is taken, whatever leaders it has', async () => {
  await onBroker(notThere, async (log, broker) => {
    broker.createError = alreadyExists;
    broker.onCreate = () => {
      broker.belief = { topicId, partition: ledBy(-1, 0) };
    };
    assert.equal((await log.createTopic('out', 1)).partitions, 1);
  });
});

test('a topic that is not there is an error for who may not create it', async () => {
  await onBroker(notThere, async (log, broker) => {
    broker.createError = notAllowed;
    await assert.rejects(
      log.createTopic('out', 1),
      (error) => error instanceof LogError && error.code === 'ACCESS_DENIED',
    );
    assert.equal(broker.creations, 1);
  });
  const unknown = (error: unknown) => error instanceof LogError && error.code === 'UNKNOWN_TOPIC';
  await onBroker(
    notThere,
    async (log, broker) => {
      await assert.rejects(log.createTopic('out', 1), unknown);
      assert.equal(broker.creations, 0);
    },
    false,
  );
});
