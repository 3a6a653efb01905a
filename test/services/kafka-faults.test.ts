import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LogError } from '@holdfast/engine';
import { type KafkaLog, type KafkaOptions, kafkaClients } from '@holdfast/stream-kafka';
import { partitionOf, readRecords, recordsOf, textRecords } from '@holdfast/testkit';
import kafkajs from 'kafkajs';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService, type KafkaServiceOptions } from './kafka.ts';
import { TcpProxy } from './support/tcp-proxy.ts';

const bytesMax = 1 << 20;

/** Everything is allowed where no rule is. */
const aclConfigs = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
};

function acl(permission: 'ALLOW' | 'DENY', operation: 'ALL' | 'READ') {
  return {
    resourceType: kafkajs.AclResourceTypes.TOPIC,
    resourceName: 'denied',
    resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
    principal: 'User:ANONYMOUS',
    host: '*',
    operation: kafkajs.AclOperationTypes[operation],
    permissionType: kafkajs.AclPermissionTypes[permission],
  };
}

/** What a reader says of an outage that lasts. */
function passing(error: unknown): null {
  if (error instanceof LogError && error.code === 'LOG_IO') return null;
  throw error;
}

/** Appends "0", "1", … in twos, reads them beside it, and commits what was read, until it is told to end. */
class Traffic {
  readonly #log: KafkaLog;
  readonly #topic: string;
  appended = 0;
  readonly read: string[] = [];
  committed = 0;
  #ending = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(log: KafkaLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  async start(): Promise<void> {
    const info = await this.#log.describe(this.#topic);
    const partition = partitionOf(info!, 0);
    const reader = await this.#log.openReader(this.#topic, partition, 0);
    let allAppended = false;
    let failed = false;
    const append = async () => {
      while (!this.#ending) {
        await this.#log.append(this.#topic, 0, textRecords([`${this.appended}`, `${this.appended + 1}`]));
        this.appended += 2;
      }
      allAppended = true;
    };
    const stop = (error: unknown) => {
      failed = true;
      throw error;
    };
    const read = async () => {
      while (!failed && (!allAppended || this.read.length < this.appended)) {
        const batch = await reader.next(bytesMax, 100).catch(passing);
        if (batch === null) continue;
        for (const { value } of recordsOf(batch)) this.read.push(value!);
        await this.#log.commit('faults', [{ partition, offset: batch.nextOffset, generationId: 'life', fence: 1 }]);
        this.committed = batch.nextOffset;
      }
      assert.deepEqual(await this.#log.committed('faults', partition), {
        offset: this.committed,
        generationId: 'life',
      });
    };
    this.#running = Promise.all([append().catch(stop), read()]);
    this.#running.catch(() => undefined);
  }

  /** Resolves when so many more have been read. */
  async more(count: number): Promise<void> {
    const goal = this.read.length + count;
    await waitFor(`record ${goal}`, 60_000, () =>
      Promise.race([this.#running, null]).then(() => this.read.length >= goal || null),
    );
  }

  /** Checks that everything came, once and in order. */
  async finish(): Promise<void> {
    this.#ending = true;
    await this.#running;
    assert.deepEqual(
      this.read,
      Array.from({ length: this.appended }, (_, i) => `${i}`),
    );
  }
}

/** With a Kafka and a log on it, both of which are gone afterwards, whatever happens. */
async function withKafka(
  starting: KafkaServiceOptions,
  opening: Partial<KafkaOptions>,
  run: (service: KafkaService, log: KafkaLog) => Promise<void>,
): Promise<void> {
  const service = await KafkaService.start(starting);
  try {
    const log = await service.open(opening);
    try {
      await run(service, log);
    } finally {
      await log.close();
    }
  } finally {
    await service.stop();
  }
}

/** Appends to a partition of which the only replica is away, and which then comes back; asks for offsets of the others meanwhile. */
async function appendWithoutLeader(service: KafkaService, log: KafkaLog): Promise<void> {
  await log.createKafkaTopic('single', 3, { replicationFactor: 1, configs: { 'min.insync.replicas': '1' } });
  const { partition, leader } = (await log.partitions('single'))[0]!;
  await service.stopBroker(leader, 'SIGKILL');
  await waitFor('a partition without leader', 60_000, async () =>
    (await log.partitions('single'))[partition]!.leader < 0 ? true : null,
  );
  const other = await service.open();
  try {
    const appended = other.append('single', partition, textRecords(['late']));
    appended.catch(() => undefined);
    const led = [0, 1, 2].filter((number) => number !== partition);
    for (const position of ['earliest', 'latest', { timestampUnixMs: 0 }] as const)
      assert.deepEqual(await log.offsetsAt('single', position, led), [0, 0]);
    service.startBroker(leader);
    await service.ready();
    assert.equal(await appended, 0);
  } finally {
    await other.close();
  }
}

/** What ADR 24 allows before a node that lacks something, and is alone with it, loses its session. */
const serviceAwayMs = 30_000;

/** Looks as a node does, only oftener. */
async function lookWhileLeaderDies(service: KafkaService, log: KafkaLog): Promise<void> {
  await log.createKafkaTopic('watched', 1, { configs: { 'min.insync.replicas': '2' } });
  const look = log.newLook({ topics: ['watched', 'missing'], group: 'watching' });
  const again = async () => {
    await delay(200);
    return look();
  };
  for (let looks = 0; looks < 6; looks++) await again();
  const { leader } = (await log.partitions('watched'))[0]!;
  await service.stopBroker(leader, 'SIGKILL');
  const beganMs = performance.now();
  const missed = await waitFor('a look that misses it', 10_000, () => again().then(() => null, String));
  assert.match(missed, new RegExp(`broker ${leader}, which `));
  await waitFor('looks that are well', 60_000, () =>
    again().then(
      () => true,
      () => null,
    ),
  );
  const silentMs = performance.now() - beganMs;
  assert.ok(silentMs < serviceAwayMs / 2, `${Math.round(silentMs)} ms`);
  for (let looks = 0; looks < 6; looks++) await again();
}

describe('a real Kafka that fails', () => {
  test('three brokers: leaders die and move, and every record comes once and in order', { timeout: 240_000 }, () =>
    withKafka({ brokers: 3 }, {}, async (service, log) => {
      await log.createKafkaTopic('moving', 1, { configs: { 'min.insync.replicas': '2' } });
      const traffic = new Traffic(log, 'moving');
      await traffic.start();
      await traffic.more(200);
      const leader = async () => (await log.partitions('moving'))[0]!.leader;
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        const old = await leader();
        await service.stopBroker(old, signal);
        await waitFor('another leader', 60_000, async () => (![old, -1].includes(await leader()) ? true : null));
        await traffic.more(200);
        service.startBroker(old);
        await service.ready();
        await waitFor('the replica to follow again', 60_000, async () =>
          (await log.partitions('moving'))[0]!.inSync.length === 3 ? true : null,
        );
        await traffic.more(200);
      }
      await traffic.finish();
    }),
  );

  test('a broker that dies fails the looks of a node no longer than until others lead', { timeout: 240_000 }, () =>
    withKafka({ brokers: 3 }, {}, lookWhileLeaderDies),
  );

  test('an append that finds no leader goes on once there is one', { timeout: 240_000 }, () =>
    withKafka({ brokers: 3 }, {}, appendWithoutLeader),
  );

  for (const client of kafkaClients) {
    test(`${client}: the only broker is killed and started again`, { timeout: 240_000 }, () =>
      withKafka({}, { client }, async (service, log) => {
        await log.createTopic('restarted', 1);
        const traffic = new Traffic(log, 'restarted');
        await traffic.start();
        await traffic.more(50);
        await service.stopBroker(1, 'SIGKILL');
        service.startBroker(1);
        await service.ready();
        await traffic.more(50);
        await traffic.finish();
      }),
    );
  }

  for (const client of kafkaClients) {
    test(`${client}: a reader that may not read says so each time, and goes on once it may`, { timeout: 120_000 }, () =>
      withKafka({ configs: aclConfigs }, { client, limits: { retryTimeMs: 2_000 } }, async (service, log) => {
        const topic = await log.createTopic('denied', 1);
        await log.append('denied', 0, textRecords(['a', 'b']));
        const reader = await log.openReader('denied', partitionOf(topic, 0), 0);
        assert.equal((await readRecords(reader, 2)).length, 2);
        const admin = new kafkajs.Kafka({ brokers: service.plain, logLevel: kafkajs.logLevel.NOTHING }).admin();
        await admin.connect();
        await admin.createAcls({ acl: [acl('ALLOW', 'ALL'), acl('DENY', 'READ')] });
        const denied = (error: unknown) => error instanceof LogError && error.code === 'ACCESS_DENIED';
        // What was asked before may still be answered with nothing.
        await waitFor('the refusal', 30_000, () => reader.next(bytesMax, 500).then(() => null, denied));
        for (let i = 0; i < 3; i++) await assert.rejects(reader.next(bytesMax, 20_000), denied);
        await admin.deleteAcls({ filters: [acl('DENY', 'READ')] });
        await admin.disconnect();
        await log.append('denied', 0, textRecords(['c', 'd']));
        const read = await waitFor('reading again', 30_000, () => readRecords(reader, 2).catch(() => null));
        assert.deepEqual(
          read.map(({ offset, value }) => [offset, value]),
          [
            [2, 'c'],
            [3, 'd'],
          ],
        );
      }),
    );
  }

  for (const client of kafkaClients) {
    test(`${client}: an append that fails says how much of it is durable`, { timeout: 180_000 }, () =>
      // Each record a batch of its own.
      withKafka({}, { client, limits: { retryTimeMs: 1_000, produceBytesMax: 10 } }, async (service, log) => {
        const topic = await log.createTopic('partly', 1);
        const texts = Array.from({ length: 50_000 }, (_, i) => `${i}`);
        const appending = log.append('partly', 0, textRecords(texts)).then(
          () => assert.fail('appended before the broker was killed'),
          (error) => error as LogError,
        );
        await waitFor('the first records', 60_000, async () => (await log.endOffsets('partly'))[0]! >= 50 || null);
        await service.stopBroker(1, 'SIGKILL');
        const { code, appended } = await appending;
        assert.equal(code, 'LOG_IO');
        service.startBroker(1);
        await service.ready();
        const other = await service.open();
        try {
          const [end] = await other.endOffsets('partly');
          // Of the one under way nobody knows.
          assert.ok(appended >= 50 && (end === appended || end === appended + 1), `${appended} of ${end} records`);
          const read = await readRecords(await other.openReader('partly', partitionOf(topic, 0), 0), end);
          assert.deepEqual(
            read.map(({ value }) => value),
            texts.slice(0, end),
          );
        } finally {
          await other.close();
        }
      }),
    );
  }

  test('answers that are lost neither double nor reorder what was appended', { timeout: 120_000 }, async () => {
    const proxy = await TcpProxy.start();
    const configs = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` };
    try {
      await withKafka({ configs }, {}, async (service, log) => {
        proxy.targetPort = service.port;
        const topic = await log.createTopic('lossy', 1);
        const rounds = 40;
        const texts: string[] = [];
        for (let round = 0; round < rounds; round++) {
          const first = log.append('lossy', 0, textRecords([`${round}a`, `${round}b`]));
          // Its request is on its way when an answer is lost, and the next append has to wait for it.
          await new Promise((resolve) => setImmediate(resolve));
          proxy.loseNextReply();
          const second = log.append('lossy', 0, textRecords([`${round}c`]));
          texts.push(`${round}a`, `${round}b`, `${round}c`);
          assert.deepEqual([await first, await second], [round * 3, round * 3 + 2]);
        }
        assert.ok(proxy.repliesLost >= rounds / 2, `only ${proxy.repliesLost} answers were lost`);
        assert.deepEqual(await log.endOffsets('lossy'), [texts.length]);
        const read = await readRecords(await log.openReader('lossy', partitionOf(topic, 0), 0), texts.length);
        assert.deepEqual(
          read.map(({ value }) => value),
          texts,
        );
      });
    } finally {
      await proxy.close();
    }
  });

  test('a reader says so when the brokers stay away, and goes on when they are back', { timeout: 120_000 }, () =>
    withKafka({}, { limits: { retryTimeMs: 1_000 } }, async (service, log) => {
      const topic = await log.createTopic('away', 1);
      await log.append('away', 0, textRecords(['a', 'b']));
      const reader = await log.openReader('away', partitionOf(topic, 0), 0);
      assert.equal((await readRecords(reader, 2)).length, 2);
      await service.stopBroker(1, 'SIGKILL');
      await assert.rejects(reader.next(bytesMax, 30_000), /given up after \d+ tries/);
      service.startBroker(1);
      await service.ready();
      await waitFor('appending again', 30_000, () => log.append('away', 0, textRecords(['c'])).catch(() => null));
      const [next] = await waitFor('reading again', 30_000, () => readRecords(reader, 1).catch(() => null));
      assert.deepEqual([next!.offset, next!.value], [2, 'c']);
    }),
  );
});
