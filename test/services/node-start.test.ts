import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KafkaLog } from '@holdfast/stream-kafka';
import kafkajs from 'kafkajs';
import { freePorts } from '../cluster/support/free-ports.ts';
import { type CommandResult, holdfast, startHoldfast } from '../cluster/support/holdfast.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService } from './kafka.ts';
import { serviceFolder, startRedis } from './redis-server.ts';
import { kafkaUser } from './support/kafka-settings.ts';

const folder = serviceFolder('node-start');
const started: Started[] = [];

interface Started {
  readonly configPath: string;
  readonly httpPort: number;
  readonly child: ReturnType<typeof startHoldfast>['child'];
  readonly result: Promise<CommandResult>;
}

/** A node process with these settings, on free ports and a new data folder. */
async function start(settings: Record<string, unknown>): Promise<Started> {
  const [control, gossip, http] = (await freePorts(3)) as [number, number, number];
  const dir = join(folder.dir, `start-${started.length}`);
  mkdirSync(dir);
  const config = {
    node: { id: 'n1' },
    data: join(dir, 'data'),
    listen: { control: `127.0.0.1:${control}`, gossip: `127.0.0.1:${gossip}`, http: `127.0.0.1:${http}` },
    shards: 1,
    ...settings,
  };
  const configPath = join(dir, 'node.json');
  writeFileSync(configPath, JSON.stringify(config));
  const node = { configPath, httpPort: http, ...startHoldfast(['node', '--config', configPath]) };
  started.push(node);
  return node;
}

/** Exit 1 and one line, without a stack. */
async function refused({ result: ended }: Started, text: RegExp): Promise<CommandResult> {
  const result = await ended;
  assert.equal(result.code, 1, result.stdout + result.stderr);
  assert.match(result.stderr, text);
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, result.stderr);
  assert.doesNotMatch(result.stderr, / {4}at |\.ts:\d/);
  return result;
}

const kafkaAt = (brokers: string[], more: Record<string, unknown> = {}) => ({
  log: { kind: 'kafka' },
  kafka: { brokers, ...more },
});
const redisAt = (address: string, more: Record<string, unknown> = {}) => ({
  store: { kind: 'redis' },
  redis: { url: `redis://${address}`, ...more },
});

const bytes = (text: string) => new TextEncoder().encode(text);

interface LetterRow {
  readonly letter: string;
  readonly reason: string;
  readonly valueBytes: number;
  readonly wholeBytes: number | null;
}

/** Commands at a node's configuration. */
function commands(configPath: string) {
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await holdfast([...args, '--config', configPath, '-o', 'json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const letters = (count: number) =>
    waitFor(`${count} dead letters`, 30_000, async () => {
      const { letters } = (await json('dlq', 'ls')) as { letters: LetterRow[] };
      return letters.length === count ? letters : null;
    });
  const allCommitted = () =>
    waitFor('everything to be committed', 60_000, async () => {
      const { partitions } = (await json('topic', 'lag')) as { partitions: { lag: string }[] };
      return (partitions.length === 3 && partitions.every(({ lag }) => lag === '0')) || null;
    });
  return { json, letters, allCommitted };
}

/** A record that no job can process is found, with all that it had, and comes back by replay. */
async function deadLetters(log: KafkaLog, configPath: string): Promise<void> {
  const { json, letters, allCommitted } = commands(configPath);
  await log.append('access-log', 1, [{ key: bytes('k'), value: bytes('{bad'), headers: { trace: 'x' } }]);
  const [letter] = await letters(1);
  const shown = await json('dlq', 'show', letter!.letter);
  assert.deepEqual((shown.value as { text: string }).text, '{bad');
  assert.deepEqual((shown.key as { text: string }).text, 'k');
  assert.deepEqual([shown.headers, shown.keyIs], [{ trace: 'x' }, 'record']);
  assert.deepEqual(shown.from, { topic: 'access-log', partition: 1, offset: '0' });
  const replay = await json('dlq', 'replay', letter!.letter);
  assert.deepEqual([replay.matching, replay.replayed], ['1', '1']);
  // As bad as it was: another letter, which tells of the first.
  const again = await letters(2);
  const second = await json('dlq', 'show', again.find((one) => one.letter !== letter!.letter)!.letter);
  assert.deepEqual(second.headers, { trace: 'x', 'replay-of': shown.id });
  await allCommitted();
}

/** Records above the brokers' default limit, and above that of the letters' topic, stop nothing. */
async function largeLetters(log: KafkaLog, configPath: string): Promise<void> {
  const { json, letters, allCommitted } = commands(configPath);
  for (const size of [2_000_000, 4_500_000]) {
    await log.append('access-log', 2, [
      { key: bytes('k'), value: bytes('{'.padEnd(size)), headers: { size: `${size}` } },
    ]);
  }
  const large = (await letters(4)).filter(({ valueBytes }) => valueBytes > 1_000);
  const bySize = (a: LetterRow, b: LetterRow) => b.valueBytes - a.valueBytes;
  const [whole, cut] = large.sort(bySize);
  assert.deepEqual([whole!.valueBytes, whole!.wholeBytes], [2_000_000, null]);
  assert.deepEqual([cut!.valueBytes, cut!.wholeBytes], [65_536, 4_500_000]);
  await allCommitted();
  assert.equal((await json('dlq', 'replay', cut!.letter)).replayed, '1');
  const again = (await letters(5)).filter(({ wholeBytes }) => wholeBytes === 4_500_000);
  assert.equal(again.length, 2, 'the whole record came back');
  await allCommitted();
}

describe('a node starts on Kafka and Redis, or says why not', { timeout: 150_000 }, () => {
  let kafka: KafkaService;
  before(async () => {
    kafka = await KafkaService.start({ secure: true });
  });
  after(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await kafka?.stop();
    folder.remove();
  });

  test('waits for brokers and says so, then exits once the time is over', async () => {
    const [port] = await freePorts(1);
    const node = await start(kafkaAt([`127.0.0.1:${port}`], { connectDeadline: '4s' }));
    const probe = await waitFor('a probe that tells', 20_000, async () => {
      const answer = await fetch(`http://127.0.0.1:${node.httpPort}/startupz?verbose`).catch(() => null);
      const text = (await answer?.text()) ?? '';
      return text.includes('waiting for') ? { status: answer!.status, text } : null;
    });
    assert.equal(probe.status, 503);
    assert.match(probe.text, new RegExp(`waiting for Kafka at 127.0.0.1:${port}: .*ECONNREFUSED`));
    const text = new RegExp(
      `^holdfast: Kafka at 127.0.0.1:${port} is not reached after 4 s and \\d+ tries: .*ECONNREFUSED`,
    );
    const { stdout } = await refused(node, text);
    const waits = stdout.split('\n').filter((line) => line.includes('not reached yet'));
    assert.ok(waits.length >= 2 && waits.every((line) => (JSON.parse(line) as { retryInMs: number }).retryInMs > 0));
  });

  test('waits for Redis and says so; SIGTERM meanwhile is no failure', async () => {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const text = new RegExp(`^holdfast: Redis at ${address} is not reached after 1 s and \\d+ tries: .*ECONNREFUSED`);
    await refused(await start(redisAt(address, { connectDeadline: '1s' })), text);
    const node = await start(redisAt(address));
    await waitFor('a probe that tells', 20_000, async () => {
      const answer = await fetch(`http://127.0.0.1:${node.httpPort}/startupz?verbose`).catch(() => null);
      return ((await answer?.text()) ?? '').includes(`waiting for Redis at ${address}`) || null;
    });
    node.child.kill('SIGTERM');
    const { code, stderr } = await node.result;
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('wrong credentials are an error at once', async () => {
    const wrong = { tls: true, tlsCa: kafka.caFile, sasl: 'SCRAM-SHA-256', username: kafkaUser.username };
    const result = await refused(
      await start(kafkaAt(kafka.secure, { ...wrong, password: 'wrong-horse' })),
      /^holdfast: Kafka refuses this client: .*SASL SCRAM-SHA-256 with user alice: SASL_AUTHENTICATION_FAILED/,
    );
    assert.doesNotMatch(result.stdout + result.stderr, /wrong-horse/);
    const missing = join(folder.dir, 'no-such-file');
    await refused(
      await start(kafkaAt(kafka.secure, { ...wrong, passwordFile: missing })),
      /^holdfast: kafka\.passwordFile: .*no-such-file can't be read: there is no such file$/m,
    );
    const redis = await startRedis(folder.dir, { requirepass: 'open-sesame' });
    try {
      const refusal = await refused(
        await start(redisAt(redis.address, { password: 'wrong-horse' })),
        /^holdfast: redis /,
      );
      assert.doesNotMatch(refusal.stdout + refusal.stderr, /wrong-horse/);
    } finally {
      await redis.stop();
    }
  });

  test('a Redis that would throw users away is refused, with the fix', async () => {
    const redis = await startRedis(folder.dir, { 'maxmemory-policy': 'allkeys-lru' });
    try {
      await refused(
        await start(redisAt(redis.address)),
        /maxmemory-policy allkeys-lru: .*CONFIG SET maxmemory-policy noeviction/,
      );
    } finally {
      await redis.stop();
    }
  });

  test('missing topics are named where they may not be created', async () => {
    const text =
      /^holdfast: Kafka has no topic access-log \(3 partitions\).*holdfast\.dead-letters.*kafka\.createTopics$/m;
    await refused(await start(kafkaAt(kafka.plain, { createTopics: false, partitions: 3 })), text);
  });

  test('a node with TLS, SCRAM and a password file serves; topics are as configured', async () => {
    const redis = await startRedis(folder.dir, { requirepass: 'open-sesame', appendonly: 'yes' });
    const passwordFile = join(folder.dir, 'kafka-password');
    writeFileSync(passwordFile, `${kafkaUser.password}\n`);
    const log = await kafka.open();
    try {
      const secure = {
        tls: true,
        tlsCa: kafka.caFile,
        sasl: 'SCRAM-SHA-512',
        username: kafkaUser.username,
        passwordFile,
      };
      const node = await start({
        ...kafkaAt(kafka.secure, { ...secure, partitions: 3, retention: '2d' }),
        ...redisAt(redis.address, { password: 'open-sesame' }),
      });
      await waitFor('a node that is ready', 60_000, async () => {
        const answer = await fetch(`http://127.0.0.1:${node.httpPort}/readyz`).catch(() => null);
        return answer?.status === 200 || null;
      });
      assert.equal((await log.describe('access-log'))?.partitions, 3);
      assert.equal((await log.describe('holdfast.dead-letters'))?.partitions, 3);
      const describe = (topic: string) => {
        const args = ['--bootstrap-server', kafka.plain[0]!, '--describe', '--topic', topic];
        return kafka.run('org.apache.kafka.tools.TopicCommand', args);
      };
      assert.match(await describe('access-log'), /retention\.ms=172800000/);
      assert.match(await describe('holdfast.dead-letters'), /retention\.ms=2592000000/);
      assert.match(await describe('holdfast.dead-letters'), /max\.message\.bytes=4194304/);
      await deadLetters(log, node.configPath);
      const admin = new kafkajs.Kafka({ brokers: kafka.plain, logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
      const configEntries = [{ name: 'max.message.bytes', value: '5242880' }];
      const type = kafkajs.ConfigResourceTypes.TOPIC;
      await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: 'access-log', configEntries }] });
      await admin.disconnect();
      await largeLetters(log, node.configPath);
      node.child.kill('SIGTERM');
      const [code] = await once(node.child, 'exit');
      assert.equal(code, 0);
    } finally {
      await log.close();
      await redis.stop();
    }
  });
});
