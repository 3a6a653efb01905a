import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartitionMetadata } from './apis/metadata.ts';
import { brokerLook } from './broker-look.ts';
import type { KafkaError } from './errors.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';

const topicId = Buffer.alloc(16, 7);
const job = { topics: ['in', 'out', 'out'], group: 'job' };

interface Parts {
  readonly first: StandInBroker;
  readonly second: StandInBroker;
  readonly look: () => Promise<void>;
  /** What both believe. */
  believe(partition: PartitionMetadata, coordinator: 1 | 2, listed?: readonly StandInBroker[]): void;
}

/** Two brokers, the first of which leads everything, and a node that looks. */
async function looking(run: (parts: Parts) => Promise<void>): Promise<void> {
  const first = await StandInBroker.start(1, { topicId, partition: ledBy(1, 5) });
  const second = await StandInBroker.start(2, first.belief);
  const both = [first, second];
  const addresses = new Map(both.map((broker) => [broker, broker.address]));
  const believe: Parts['believe'] = (partition, coordinator, listed = both) => {
    const brokers = listed.map((broker) => addresses.get(broker) ?? broker.address);
    const belief = { topicId, partition, brokers, coordinator: addresses.get(both[coordinator - 1]!)! };
    for (const broker of [...both, ...listed]) broker.belief = belief;
  };
  believe(ledBy(1, 5), 1);
  const { cluster } = clusterOf([first.address, second.address]);
  try {
    await run({ first, second, believe, look: brokerLook(cluster, job) });
  } finally {
    cluster.close();
    for (const broker of both) broker.stop();
  }
}

/** After how many looks one fails; 0: none of a dozen. */
async function looksUntilFailure(look: () => Promise<void>): Promise<number> {
  for (let looks = 1; looks <= 12; looks++) {
    const failed = await look().then(
      () => false,
      () => true,
    );
    if (failed) return looks;
  }
  return 0;
}

const silent = (what: string) => (error: KafkaError) =>
  error.code === 'UNREACHABLE' &&
  new RegExp(`^broker 2, which ${what}, does not answer this node: 127\\S+ .*ECONNREFUSED`).test(error.message);

test('a leader that does not answer this node fails its looks soon, and until it answers', async () => {
  await looking(async ({ first, second, look, believe }) => {
    believe(ledBy(2, 5), 1);
    for (let looks = 0; looks < 3; looks++) await look();
    second.stop();
    const looks = await looksUntilFailure(look);
    assert.ok(looks >= 1 && looks <= 5, `noticed by look ${looks}`);
    for (let looks = 0; looks < 6; looks++) await assert.rejects(look(), silent('leads in/0'));
    const again = await StandInBroker.start(2, second.belief);
    try {
      believe(ledBy(2, 5), 1, [first, again]);
      assert.equal(await looksUntilFailure(look), 0);
    } finally {
      again.stop();
    }
  });
});

test('a coordinator of the job that does not answer this node fails its looks', async () => {
  await looking(async ({ second, look, believe }) => {
    believe(ledBy(1, 5), 2);
    await look();
    second.stop();
    const looks = await looksUntilFailure(look);
    assert.ok(looks >= 1 && looks <= 5, `noticed by look ${looks}`);
    await assert.rejects(look(), silent('keeps the offsets of group job'));
  });
});

test('a broker that is away for everybody fails no look once another one leads, or nobody', async () => {
  await looking(async ({ first, second, look, believe }) => {
    for (const partition of [ledBy(1, 6), ledBy(-1, 6)]) {
      believe(ledBy(2, 5), 2);
      second.stop();
      assert.notEqual(await looksUntilFailure(look), 0);
      await assert.rejects(look(), silent('leads in/0'));
      believe(partition, 1);
      await look();
    }
    // It is the coordinator still, of which nobody has an address.
    believe(ledBy(1, 7), 2, [first]);
    assert.equal(await looksUntilFailure(look), 0);
  });
});

test('a broker that the job has nothing of fails no look', async () => {
  await looking(async ({ second, look }) => {
    second.stop();
    assert.equal(await looksUntilFailure(look), 0);
  });
});

test('a topic that is not there fails no look; what the first one is refused for does', async () => {
  await looking(async ({ first, second, look }) => {
    for (const broker of [first, second]) broker.belief = { ...broker.belief, topicError: 3 };
    await look();
    for (const broker of [first, second]) broker.belief = { ...broker.belief, topicError: 29 };
    await assert.rejects(look(), /topic in: TOPIC_AUTHORIZATION_FAILED/);
    for (const broker of [first, second]) broker.belief = { ...broker.belief, brokers: [], topicError: 3 };
    await assert.rejects(look(), /knows of no brokers yet/);
  });
});
