import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileText as compile, problemsOf } from './compile-text.test.ts';

test('Kafka and Redis as a file and variables name them', () => {
  const text = `
log: {kind: kafka}
kafka:
  brokers: ["k1:9092", "k2:9092"]
  tls: true
  tlsCa: ca.pem
  sasl: SCRAM-SHA-512
  username: holdfast
  replication: 3
  retention: 7d
  topicConfigs: [min.insync.replicas=2]
  compression: lz4
store: {kind: redis}
redis: {url: "rediss://r1:6380/2", username: holdfast, tlsCa: /ca.pem}
job: {start: "2026-01-31T00:00:00Z"}
`;
  const { config } = compile(text, {
    HOLDFAST_KAFKA_PASSWORD_FILE: 'secrets/kafka',
    HOLDFAST_REDIS_PASSWORD: 'hush',
    HOLDFAST_KAFKA_CONNECT_DEADLINE: '30s',
  });
  const tls = { certFile: null, keyFile: null, serverName: null };
  assert.deepEqual(config.log, {
    kind: 'kafka',
    brokers: ['k1:9092', 'k2:9092'],
    client: 'wire',
    clientId: 'holdfast',
    tls: { ...tls, caFile: '/etc/holdfast/ca.pem' },
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'holdfast', password: { file: '/srv/secrets/kafka' } },
    isolation: 'read_committed',
    compression: 'lz4',
    decompressedBytesMax: 67_108_864,
    retryTimeMs: 60_000,
    topics: {
      create: true,
      inputPartitions: 12,
      replicationFactor: 3,
      retentionMs: 604_800_000,
      deadLetterRetentionMs: 2_592_000_000,
      configs: { 'min.insync.replicas': '2' },
    },
    connectDeadlineMs: 30_000,
  });
  assert.deepEqual(config.store, {
    kind: 'redis',
    servers: { kind: 'single', url: 'rediss://r1:6380/2' },
    username: 'holdfast',
    password: { text: 'hush' },
    db: null,
    keyPrefix: 'holdfast:',
    tls: { ...tls, caFile: '/ca.pem' },
    connectDeadlineMs: 120_000,
    commands: 'auto',
  });
  assert.deepEqual(config.startPosition, { timestampUnixMs: Date.UTC(2026, 0, 31) });
  // Worker threads get it.
  assert.deepEqual(structuredClone(config), config);
});

test('Sentinels, a Cluster, lists in variables', () => {
  const { config } = compile('store: {kind: redis}\nredis: {sentinelName: main}', {
    HOLDFAST_REDIS_SENTINELS: 's1:26379, s2:26379',
  });
  assert.equal(config.store.kind, 'redis');
  assert.deepEqual(config.store.kind === 'redis' && config.store.servers, {
    kind: 'sentinel',
    nodes: ['s1:26379', 's2:26379'],
    name: 'main',
    username: null,
    password: null,
  });
  const cluster = compile('store: {kind: redis}\nredis: {cluster: ["a:1"]}').config.store;
  assert.deepEqual(cluster.kind === 'redis' && cluster.servers, { kind: 'cluster', nodes: ['a:1'] });
});

test('secrets are in no listing and no error', () => {
  const secret = 'correct-horse';
  const text = `
log: {kind: kafka}
kafka: {brokers: ["k:1"], sasl: PLAIN, username: u, password: ${secret}}
store: {kind: redis}
redis: {url: "redis://u:${secret}@r:6379"}`;
  const { origins } = compile(text);
  assert.ok(!JSON.stringify(origins).includes(secret));
  const shown = (path: string) => origins.find((row) => row.path === path)?.value;
  assert.equal(shown('kafka.password'), '(hidden)');
  assert.equal(shown('redis.url'), 'redis://u:(hidden)@r:6379');
  const broken = problemsOf(
    `store: {kind: redis}\nredis: {url: "http://u:${secret}@r"}\nkafka: {password: [${secret}]}`,
  );
  assert.ok(broken.length > 1 && !broken.join('\n').includes(secret), broken.join('\n'));
  for (const begin of ['*', '!', '|', '&x *', '"\\q', '@', '{', '%']) {
    const unquoted = problemsOf(`redis: {url: "redis://r"}\nkafka:\n  password: ${begin}${secret}`);
    assert.ok(unquoted.length > 0 && !unquoted.join('\n').includes(secret), unquoted.join('\n'));
  }
  for (const misplaced of ['r:1/0?password=', 'r:1#', 'u:12#', 'u:12/']) {
    const url = problemsOf(`store: {kind: redis}\nredis: {url: "redis://${misplaced}${secret}@r:6379"}`);
    assert.equal(url.length, 1);
    assert.match(url[0]!, /^redis\.url: "\(hidden\)" .*: redis:\/\/\[user:password@\]host/);
  }
  const groups = problemsOf(`redis: "redis://:${secret}@r:6379"\nkafka: [${secret}]\nlimits: 3`);
  assert.equal(groups.length, 3);
  assert.ok(!groups.join('\n').includes(secret), groups.join('\n'));
  assert.match(groups[0]!, /^redis: \(\/etc\/holdfast\/c\.yaml\): a group with url, /);
  assert.match(groups[2]!, /^limits: 3 /);
});

test('settings of log and store are checked together, all at once', () => {
  const from = '(/etc/holdfast/c.yaml)';
  assert.deepEqual(problemsOf('kafka: {brokers: ["k:1"], tls: true}\nredis: {url: "redis://r"}'), [
    `kafka.brokers: ${from}: log.kind: kafka with it, or nothing of kafka: the log is embedded`,
    `kafka.tls: ${from}: log.kind: kafka with it, or nothing of kafka: the log is embedded`,
    `redis.url: ${from}: store.kind: redis with it, or nothing of redis: the store is embedded`,
  ]);
  const both = problemsOf(`
log: {kind: kafka, dir: x}
kafka: {sasl: PLAIN, tokenFile: t, tlsCa: ca.pem, password: a, passwordFile: b}
store: {kind: redis}
redis: {url: "redis://:x@r", cluster: ["r:1"], sentinelName: s, username: u, password: a, tlsCert: c}`);
  assert.deepEqual(
    both.map((line) => line.slice(0, line.indexOf(':'))),
    [
      'kafka.brokers',
      'kafka.username',
      'kafka.tokenFile',
      'kafka.passwordFile',
      'kafka.tlsCa',
      'redis.cluster',
      'redis.sentinelName',
      'redis.url',
      'redis.tlsCert',
      'redis.tlsKey',
      'log.dir',
    ],
  );
  assert.match(problemsOf('log: {kind: kafka}\nkafka: {broker: x}').join('\n'), /did you mean kafka\.brokers\?/);
  assert.match(problemsOf('', { HOLDFAST_KAFKA_BROKER: 'x' }).join('\n'), /did you mean HOLDFAST_KAFKA_BROKERS\?/);
  assert.match(problemsOf('log: {kind: kafk}').join('\n'), /log\.kind: "kafk" .*: one of embedded, kafka/);
});
