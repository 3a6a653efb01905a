import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compileRedisOptions } from '@holdfast/backup-redis';
import { compileConfig } from '../../config/compile-config.ts';
import { kafkaOptions } from './open-kafka.ts';
import { deadLetterConfigs, inputConfigs } from './open-log.ts';
import { redisOptions } from './open-store.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-options-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return name;
};

function kafkaOf(settings: string) {
  const text = `node: {id: n1}\nlog: {kind: kafka}\nkafka: {brokers: ["k:1"], ${settings}}`;
  const { log } = compileConfig({ files: [{ path: join(dir, 'c.yaml'), text }], cwd: dir }).config;
  assert.ok(log.kind === 'kafka');
  return kafkaOptions(log);
}

function redisOf(settings: string) {
  const text = `node: {id: n1}\nstore: {kind: redis}\nredis: {${settings}}`;
  const { store } = compileConfig({ files: [{ path: join(dir, 'c.yaml'), text }], cwd: dir }).config;
  assert.ok(store.kind === 'redis');
  return redisOptions(store);
}

/** What a connection would be opened with. */
const now = <T>(given: T | (() => T)): T => (typeof given === 'function' ? (given as () => T)() : given);

test('a password file may end with a line break, and may not be empty or missing; it is read for each connection', () => {
  const sasl = 'sasl: PLAIN, username: u';
  file('password', 'hush \n');
  const read = kafkaOf(`${sasl}, passwordFile: password`).sasl;
  assert.ok(read?.mechanism === 'PLAIN' && typeof read.password === 'function');
  assert.deepEqual([read.username, read.password()], ['u', 'hush ']);
  file('password', 'changed');
  assert.equal(read.password(), 'changed');
  file('password', '');
  assert.throws(read.password, { code: 'FILE_UNREADABLE', message: /password is empty/ });
  file('empty', '\n');
  assert.throws(() => kafkaOf(`${sasl}, passwordFile: empty`), { code: 'FILE_UNREADABLE', message: /empty is empty/ });
  assert.throws(() => kafkaOf(`${sasl}, passwordFile: none`), {
    code: 'FILE_UNREADABLE',
    message: /^kafka\.passwordFile: .*none can't be read: there is no such file$/,
  });
});

test('a token is read anew for each connection', async () => {
  file('token', 'one');
  const { sasl } = kafkaOf('sasl: OAUTHBEARER, tokenFile: token');
  assert.ok(sasl?.mechanism === 'OAUTHBEARER');
  assert.equal(await sasl.token(), 'one');
  file('token', 'two\n');
  assert.equal(await sasl.token(), 'two');
});

test('what Kafka is told of topics and certificates', () => {
  file('ca.pem', 'x');
  const { tls, createTopics } = kafkaOf(
    'tls: true, tlsCa: ca.pem, replication: 3, retention: 1h, topicConfigs: [a.b=c=d]',
  );
  assert.deepEqual(tls, { caFile: join(dir, 'ca.pem') });
  assert.deepEqual(createTopics, {
    allowed: true,
    replicationFactor: 3,
    retentionMs: 3_600_000,
    configs: { 'a.b': 'c=d' },
  });
  assert.equal(kafkaOf('clientId: x').tls, undefined);
  assert.throws(() => kafkaOf('tls: true, tlsCa: gone.pem'), { message: /^kafka\.tlsCa: .*gone\.pem can't be read/ });
});

test('what Redis is told is read for each connection, and has to be there at the start', () => {
  file('secret', 'one');
  const { password } = redisOf('url: "redis://h", passwordFile: secret');
  file('secret', 'two\n');
  assert.equal(now(password), 'two');
  assert.throws(() => redisOf('url: "redis://h", passwordFile: gone'), { message: /^redis\.passwordFile: .*gone/ });
  assert.throws(() => redisOf('url: "rediss://h", tlsCa: gone'), { message: /^redis\.tlsCa: .*gone/ });
});

test('each way to Redis is one that its adapter takes', () => {
  file('password', 'hush\n');
  const sentinel = redisOf(
    'sentinels: ["s:1"], sentinelName: main, sentinelPasswordFile: password, username: u, password: p, tls: true',
  );
  const { password: ofSentinels, ...rest } = sentinel.sentinel!;
  assert.deepEqual(rest, { nodes: ['s:1'], name: 'main', tls: true });
  assert.deepEqual([now(ofSentinels), sentinel.username, now(sentinel.password)], ['hush', 'u', 'p']);
  assert.deepEqual(now(sentinel.tls), {});
  const all = [
    sentinel,
    redisOf('cluster: ["a:1", "b:2"]'),
    redisOf('url: "rediss://u:p@h:1/3"'),
    redisOf('url: "redis://h", db: 2'),
  ];
  const kinds = all
    .map((options) => compileRedisOptions(options))
    .map(({ topology, db, tls }) => [topology.kind, db, now(tls)]);
  assert.deepEqual(kinds, [
    ['sentinel', 0, {}],
    ['cluster', 0, null],
    ['standalone', 3, {}],
    ['standalone', 2, null],
  ]);
});

test('the topic of dead letters takes a whole record, and what a higher limit of all topics allows', () => {
  const limitOf = (configs: string[]) => {
    const { createTopics } = kafkaOf(`topicConfigs: ${JSON.stringify(configs)}`);
    return deadLetterConfigs(createTopics?.configs ?? {});
  };
  assert.deepEqual(limitOf([]), { 'max.message.bytes': '4194304' });
  assert.deepEqual(limitOf(['max.message.bytes=2000000']), { 'max.message.bytes': '4194304' });
  assert.deepEqual(limitOf(['max.message.bytes=9000000']), { 'max.message.bytes': '9000000' });
});

test('input topics have append times by the log, unless they are configured otherwise', () => {
  const typeOf = (configs: string[]) => {
    const { createTopics } = kafkaOf(`topicConfigs: ${JSON.stringify(configs)}`);
    return inputConfigs(createTopics?.configs ?? {});
  };
  assert.deepEqual(typeOf(['min.insync.replicas=2']), { 'message.timestamp.type': 'LogAppendTime' });
  assert.deepEqual(typeOf(['message.timestamp.type=CreateTime']), { 'message.timestamp.type': 'CreateTime' });
});

test('what Kafka is told of limits', () => {
  assert.deepEqual(kafkaOf('isolation: read_committed').limits, {
    decompressedBytesMax: 64 * 1024 * 1024,
    retryTimeMs: 60_000,
  });
  const raised = { decompressedBytesMax: 256 * 1024 * 1024, retryTimeMs: 5_000 };
  assert.deepEqual(kafkaOf('decompressedBytesMax: 256MiB, retryTime: 5s').limits, raised);
  const none = () => kafkaOf('decompressedBytesMax: 0B, retryTime: 0s');
  assert.throws(none, /kafka\.retryTime.*from 1ms to .*kafka\.decompressedBytesMax.*from 1B to 1GiB/s);
});
