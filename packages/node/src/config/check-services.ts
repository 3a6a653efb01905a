import type { ConfigProblem } from './config-problem.ts';
import type { TlsSettings } from './convert-services.ts';
import { type Setting, settings } from './setting-list.ts';
import type { Settings } from './settings-schema.ts';
import type { IsSound } from './sound-settings.ts';
import { givenOrigin, type Layer } from './sources.ts';

type Expect = (holds: boolean, path: string, expected: string) => void;

/** What must hold between the settings of log and store, before they are read as those of a kind. */
export function checkServices(written: Settings, merged: Layer, isSound: IsSound): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const expect: Expect = (holds, path, expected) => {
    if (!holds) problems.push({ path, expected, origin: givenOrigin(path, merged) });
  };
  const isKafka = written.log.kind === 'kafka';
  const isRedis = written.store.kind === 'redis';
  if (isSound('log', 'kafka')) {
    if (isKafka) checkKafka(written.kafka, expect);
    else expectNone('kafka', 'log.kind: kafka with it, or nothing of kafka: the log is embedded', merged, problems);
  }
  if (isSound('store', 'redis')) {
    if (isRedis) checkRedis(written.redis, expect);
    else expectNone('redis', 'store.kind: redis with it, or nothing of redis: the store is embedded', merged, problems);
  }
  expect(!isKafka || written.log.dir === undefined, 'log.dir', 'nothing here: the log is kafka');
  expect(!isRedis || written.store.dir === undefined, 'store.dir', 'nothing here: the store is redis');
  return problems;
}

/** Settings of a kind that isn't used are mostly a forgotten line: what runs would not be what was meant. */
function expectNone(group: string, expected: string, merged: Layer, problems: ConfigProblem[]): void {
  const isGiven = ({ path }: Setting) => path.startsWith(`${group}.`) && givenOrigin(path, merged) !== null;
  for (const { path } of settings.filter(isGiven)) problems.push({ path, expected, origin: givenOrigin(path, merged) });
}

function checkKafka(kafka: Settings['kafka'], expect: Expect): void {
  const { sasl, username, password, passwordFile, tokenFile } = kafka;
  expect(kafka.brokers !== undefined, 'kafka.brokers', 'a list of host:port: with log.kind kafka it has to be told');
  const byPassword = sasl !== 'none' && sasl !== 'OAUTHBEARER';
  const named = (value: unknown) => value !== undefined;
  if (byPassword) {
    expect(named(username), 'kafka.username', `a user's name: kafka.sasl ${sasl} needs one`);
    const hasOne = named(password) || named(passwordFile);
    expect(hasOne, 'kafka.passwordFile', `a file (or kafka.password): kafka.sasl ${sasl} needs one`);
  } else {
    const why = `kafka.sasl PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 with it (it is ${sasl})`;
    expect(!named(username), 'kafka.username', why);
    expect(!named(password), 'kafka.password', why);
    expect(!named(passwordFile), 'kafka.passwordFile', why);
  }
  if (sasl === 'OAUTHBEARER') expect(named(tokenFile), 'kafka.tokenFile', 'a file: kafka.sasl OAUTHBEARER needs one');
  else expect(!named(tokenFile), 'kafka.tokenFile', `kafka.sasl OAUTHBEARER with it (it is ${sasl})`);
  expectOneSecret('kafka', 'password', kafka, expect);
  checkTls('kafka', kafka, expect);
}

function checkRedis(redis: Settings['redis'], expect: Expect): void {
  const { url, sentinels, sentinelName, cluster, username, password, passwordFile, db } = redis;
  const given = Object.entries({ url, sentinels, cluster }).filter(([, value]) => value !== undefined);
  expect(given.length > 0, 'redis.url', 'redis.url, redis.sentinels or redis.cluster: one of them has to be told');
  for (const [name] of given.slice(1)) {
    expect(false, `redis.${name}`, `nothing here: redis.${given[0]![0]} says already where the servers are`);
  }
  const bySentinel = sentinels !== undefined;
  expect(
    !bySentinel || sentinelName !== undefined,
    'redis.sentinelName',
    'a name: redis.sentinels watch more than one',
  );
  for (const name of ['sentinelName', 'sentinelUsername', 'sentinelPassword', 'sentinelPasswordFile'] as const) {
    expect(bySentinel || redis[name] === undefined, `redis.${name}`, 'redis.sentinels with it');
  }
  const hasPassword = password !== undefined || passwordFile !== undefined;
  expect(username === undefined || hasPassword, 'redis.username', 'redis.passwordFile (or redis.password) with it');
  const inUrl = url === undefined ? null : new URL(url);
  expect(
    !hasPassword || !inUrl?.password,
    'redis.url',
    'no password here: redis.password or redis.passwordFile has one',
  );
  const isSecure = redis.tls || inUrl?.protocol === 'rediss:';
  expect(cluster === undefined || !db, 'redis.db', '0 or nothing: a Redis Cluster has no other');
  expectOneSecret('redis', 'password', redis, expect);
  expectOneSecret('redis', 'sentinelPassword', redis, expect);
  checkTls('redis', { ...redis, tls: isSecure }, expect);
}

function expectOneSecret(group: string, name: string, values: Readonly<Record<string, unknown>>, expect: Expect): void {
  const both = values[name] !== undefined && values[`${name}File`] !== undefined;
  expect(!both, `${group}.${name}File`, `nothing here, or no ${group}.${name}: only one of them can be meant`);
}

function checkTls(group: string, written: TlsSettings, expect: Expect): void {
  for (const name of ['tlsCa', 'tlsCert', 'tlsKey', 'tlsServerName'] as const) {
    expect(written.tls || written[name] === undefined, `${group}.${name}`, `${group}.tls: true with it`);
  }
  const { tlsCert, tlsKey } = written;
  expect(tlsCert === undefined || tlsKey !== undefined, `${group}.tlsKey`, `the key of ${group}.tlsCert`);
  expect(tlsKey === undefined || tlsCert !== undefined, `${group}.tlsCert`, `the certificate of ${group}.tlsKey`);
}
