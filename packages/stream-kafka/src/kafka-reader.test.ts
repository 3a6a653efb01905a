import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { topicId } from '@holdfast/model';
import { encodeBatch } from './batch/encode-batch.ts';
import { KafkaReader } from './kafka-reader.ts';
import type { KafkaLimits } from './options.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { Topics } from './topics.ts';

const id = Buffer.alloc(16, 5);
const partition = { topicId: topicId(id.toString('base64url')), partition: 0 };
const notAllowed = 29;
const waitMs = 20 * 60_000;

function stored(text: string, offset: number): Buffer {
  const stamp = { timeUnixMs: 1, compression: 'none', producerId: -1, producerEpoch: 0, baseSequence: 0 } as const;
  const batch = encodeBatch([{ key: null, value: Buffer.from(text) }], { ...stamp, transactional: false });
  batch.writeBigInt64BE(BigInt(offset), 0);
  return batch;
}

/** Two brokers, of which the first leads, and a reader from 0. Each fetch takes half a second of the clock. */
async function reading(
  run: (parts: {
    reader: KafkaReader;
    first: StandInBroker;
    second: StandInBroker;
    warnings: unknown[];
    clock: { readonly nowMs: number };
  }) => Promise<void>,
  limits: Partial<KafkaLimits> = {},
): Promise<void> {
  const first = await StandInBroker.start(1, { topicId: id, partition: ledBy(1, 5) });
  const second = await StandInBroker.start(2, first.belief);
  const brokers = [first.address, second.address];
  first.belief = second.belief = { ...first.belief, brokers };
  const { cluster, clock, warnings } = clusterOf(brokers, limits);
  for (const broker of [first, second]) broker.onFetch = () => (clock.nowMs += 500);
  const reader = new KafkaReader(cluster, new Topics(cluster), 'topic', partition, 0, () => undefined);
  try {
    await run({ reader, first, second, warnings, clock });
  } finally {
    await reader.close();
    cluster.close();
    for (const broker of [first, second]) broker.stop();
  }
}

async function nextText(reader: KafkaReader): Promise<string | null> {
  const batch = await reader.next(1 << 20, waitMs);
  if (batch === null) return null;
  return Buffer.from(batch.bytes.subarray(batch.valueStarts[0]!, batch.valueEnds[0]!)).toString();
}

test('a leader that answers, and knows nothing of its successor, is left', async () => {
  await reading(async ({ reader, first, second, warnings }) => {
    assert.equal(await reader.next(1 << 20, 10_000), null);
    // The first one is cut off from the controllers: it believes what it believed.
    second.belief = { ...second.belief, partition: ledBy(2, 6) };
    second.records = stored('of the successor', 0);
    assert.equal(await nextText(reader), 'of the successor');
    // The first one is asked then, since the second may be cut off as well: nobody goes back on its word.
    for (const socket of second.fetchers) socket.destroy();
    const { fetches, lookups } = first;
    second.records = stored('and once more', 1);
    assert.equal(await nextText(reader), 'and once more');
    assert.ok(first.lookups > lookups);
    assert.equal(first.fetches, fetches);
    assert.equal(warnings.filter((warning) => (warning as { text: string }).text.startsWith('Kafka')).length, 0);
  });
});

test('the first answer after a failure that brings nothing is a batch without records', async () => {
  await reading(async ({ reader, first }) => {
    first.records = stored('a', 0);
    assert.equal(await nextText(reader), 'a');
    first.fetchError = notAllowed;
    const failed = (error: unknown) => error instanceof LogError && error.code === 'ACCESS_DENIED';
    // What was asked before may still be answered with nothing.
    await assert.rejects(async () => {
      while ((await reader.next(1 << 20, waitMs)) === null);
    }, failed);
    await assert.rejects(reader.next(1 << 20, waitMs), failed);
    first.fetchError = 0;
    const batch = await reader.next(1 << 20, waitMs);
    assert.deepEqual([batch?.count, batch?.nextOffset], [0, 1]);
    assert.equal(await reader.next(1 << 20, 10_000), null);
    first.records = stored('b', 1);
    assert.equal(await nextText(reader), 'b');
  });
});

test('a quiet leader that is still the leader keeps its connection, and its new epoch is taken', async () => {
  await reading(async ({ reader, first, second }) => {
    assert.equal(await reader.next(1 << 20, 60_000), null);
    first.belief = second.belief = { ...first.belief, partition: ledBy(1, 6) };
    assert.equal(await reader.next(1 << 20, 300_000), null);
    first.records = stored('late', 0);
    assert.equal(await nextText(reader), 'late');
    assert.equal(first.fetchers.size, 1);
    assert.equal(second.fetchers.size, 0);
    assert.ok(second.lookups >= 8 && second.lookups <= 13, `${second.lookups} looks in six minutes`);
  });
});

test('a partition that can not be read is told of within seconds, and read once it can be', async () => {
  await reading(
    async ({ reader, first, second, clock, warnings }) => {
      const notLeader = 6;
      for (const broker of [first, second]) broker.fetchError = notLeader;
      const failed = (error: unknown) => error instanceof LogError && error.code === 'LOG_IO';
      const told = async () => {
        while ((await reader.next(1 << 20, 100)) === null);
      };
      await assert.rejects(told(), failed);
      assert.ok(clock.nowMs <= 6_000, `${clock.nowMs} ms`);
      await assert.rejects(told(), failed);
      assert.equal(warnings.length, 1);
      // Who waits for longer has it tried for longer.
      const { nowMs } = clock;
      await assert.rejects(reader.next(1 << 20, 20_000), failed);
      assert.ok(clock.nowMs >= nowMs + 19_000, `${clock.nowMs - nowMs} ms`);
      for (const broker of [first, second]) broker.fetchError = 0;
      first.records = stored('a', 0);
      assert.equal(await nextText(reader), 'a');
    },
    { backoffMsMin: 1, backoffMsMax: 1 },
  );
});
