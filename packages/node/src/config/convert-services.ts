import type {
  KafkaConfig,
  NodeServices,
  RedisConfig,
  RedisServersConfig,
  SaslConfig,
  Secret,
  TlsConfig,
} from './service-config.ts';
import type { Settings } from './settings-schema.ts';
import { durationMs, sizeBytes } from './units.ts';

/** The absolute path of a file that a setting names. */
export type PathOf = (setting: string, text: string) => string;

/** The checked settings of the log. */
export function convertLog({ log, kafka }: Settings, at: PathOf): NodeServices['log'] {
  if (log.kind === 'embedded') return { kind: 'embedded', dir: log.dir === undefined ? null : at('log.dir', log.dir) };
  return {
    kind: 'kafka',
    brokers: kafka.brokers!,
    client: kafka.client,
    clientId: kafka.clientId,
    tls: convertTls('kafka', kafka, at),
    sasl: convertSasl(kafka, at),
    isolation: kafka.isolation,
    compression: kafka.compression,
    decompressedBytesMax: sizeBytes(kafka.decompressedBytesMax)!,
    retryTimeMs: durationMs(kafka.retryTime)!,
    topics: {
      create: kafka.createTopics,
      inputPartitions: kafka.partitions,
      replicationFactor: kafka.replication ?? null,
      retentionMs: kafka.retention === undefined ? null : durationMs(kafka.retention),
      deadLetterRetentionMs: durationMs(kafka.deadLetterRetention)!,
      configs: Object.fromEntries(kafka.topicConfigs.map(splitConfig)),
    },
    connectDeadlineMs: durationMs(kafka.connectDeadline)!,
  } satisfies KafkaConfig;
}

/** The checked settings of the backup store. */
export function convertStore({ store, redis }: Settings, at: PathOf): NodeServices['store'] {
  if (store.kind === 'embedded') {
    return { kind: 'embedded', dir: store.dir === undefined ? null : at('store.dir', store.dir) };
  }
  return {
    kind: 'redis',
    servers: convertServers(redis, at),
    username: redis.username ?? null,
    password: convertSecret('redis.passwordFile', redis.password, redis.passwordFile, at),
    db: redis.db ?? null,
    keyPrefix: redis.prefix,
    tls: convertTls('redis', { ...redis, tls: redis.tls || /^rediss:/.test(redis.url ?? '') }, at),
    connectDeadlineMs: durationMs(redis.connectDeadline)!,
    commands: redis.commands,
  } satisfies RedisConfig;
}

function convertServers(redis: Settings['redis'], at: PathOf): RedisServersConfig {
  const { url, sentinels, sentinelName, sentinelUsername, sentinelPassword, sentinelPasswordFile, cluster } = redis;
  if (url !== undefined) return { kind: 'single', url };
  if (cluster !== undefined) return { kind: 'cluster', nodes: cluster };
  return {
    kind: 'sentinel',
    nodes: sentinels!,
    name: sentinelName!,
    username: sentinelUsername ?? null,
    password: convertSecret('redis.sentinelPasswordFile', sentinelPassword, sentinelPasswordFile, at),
  };
}

function convertSasl(kafka: Settings['kafka'], at: PathOf): SaslConfig | null {
  const { sasl, username, password, passwordFile, tokenFile } = kafka;
  if (sasl === 'none') return null;
  if (sasl === 'OAUTHBEARER') return { mechanism: sasl, tokenFile: at('kafka.tokenFile', tokenFile!) };
  const secret = convertSecret('kafka.passwordFile', password, passwordFile, at)!;
  return { mechanism: sasl, username: username!, password: secret };
}

function convertSecret(
  fileSetting: string,
  text: string | undefined,
  file: string | undefined,
  at: PathOf,
): Secret | null {
  if (file !== undefined) return { file: at(fileSetting, file) };
  return text === undefined ? null : { text };
}

/** As both groups have them. */
export interface TlsSettings {
  readonly tls: boolean;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsServerName?: string | undefined;
}

function convertTls(group: string, { tls, tlsCa, tlsCert, tlsKey, tlsServerName }: TlsSettings, at: PathOf) {
  if (!tls) return null;
  const file = (name: string, path: string | undefined) => (path === undefined ? null : at(`${group}.${name}`, path));
  return {
    caFile: file('tlsCa', tlsCa),
    certFile: file('tlsCert', tlsCert),
    keyFile: file('tlsKey', tlsKey),
    serverName: tlsServerName ?? null,
  } satisfies TlsConfig;
}

function splitConfig(text: string): [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals), text.slice(equals + 1)];
}
