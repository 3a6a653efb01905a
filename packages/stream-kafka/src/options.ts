import type { Clock, Logger } from '@holdfast/model';
import { type KafkaTlsOptions, TlsSource } from './tls-source.ts';
import type { Address } from './wire/connection.ts';

export const kafkaClients = ['wire', 'kafkajs'] as const;
export type KafkaClient = (typeof kafkaClients)[number];

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

export type SaslOptions =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      /** A function is asked whenever a connection is made, so that it may be changed meanwhile. */
      readonly password: string | (() => string);
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      /** Asked for a token whenever a connection is made, or an old one's time runs out. */
      readonly token: () => Promise<string>;
      readonly extensions?: Readonly<Record<string, string>>;
    };

/** As an operator writes them; plain data but for secrets that are asked for, so that a configuration can hold them. */
export interface KafkaOptions {
  /** HOST:PORT of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  /** Who reads and produces records: this package's own protocol layer, or kafkajs (see README). Default `wire`. */
  readonly client?: KafkaClient;
  readonly clientId?: string;
  readonly tls?: boolean | KafkaTlsOptions;
  readonly sasl?: SaslOptions;
  /** Default `read_committed`: records of aborted transactions are passed over, those of open ones waited for. */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** Of what is produced. Default `none`. */
  readonly compression?: Compression;
  readonly createTopics?: {
    /** Whether `createTopic` may create; otherwise a missing topic is an error. Default true. */
    readonly allowed?: boolean;
    /** -1, the default: as the brokers are set. */
    readonly replicationFactor?: number;
    /** How long records are kept; the brokers' default without. */
    readonly retentionMs?: number;
    /** Further topic settings, by Kafka's names. */
    readonly configs?: Readonly<Record<string, string>>;
  };
  readonly limits?: Partial<KafkaLimits>;
}

export interface KafkaLimits {
  readonly connectTimeoutMs: number;
  /**
   * How long an answer is waited for; that to a fetch for `fetchWaitMs` more. Half of it is what a leader may wait for its
   * followers when something is appended.
   */
  readonly requestTimeoutMs: number;
  /** How long an operation is tried again while brokers are away or leaders move; then it fails with LOG_IO. */
  readonly retryTimeMs: number;
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** A longer answer of a broker is an error: what answers is no Kafka, or a record is larger than this. */
  readonly answerBytesMax: number;
  /** Of one record batch; a larger one stops its partition with RECORDS_CORRUPT. */
  readonly decompressedBytesMax: number;
  /** Records that are produced together, before compression; a larger record goes alone. */
  readonly produceBytesMax: number;
  /** How long a broker holds a fetch for which it has nothing. */
  readonly fetchWaitMs: number;
}

/**
 * Defaults. `retryTimeMs` outlasts a rolling restart's pause of a partition; `requestTimeoutMs` is what Kafka's own
 * clients wait, and goes into `retryTimeMs` twice: an append of which no answer came is tried again as the same, so that
 * it is there once; `produceBytesMax` stays below the brokers' `message.max.bytes` of 1 MiB.
 */
export const defaultKafkaLimits: KafkaLimits = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
  retryTimeMs: 60_000,
  backoffMsMin: 20,
  backoffMsMax: 1_000,
  answerBytesMax: 256 * 1024 * 1024,
  decompressedBytesMax: 64 * 1024 * 1024,
  produceBytesMax: 900 * 1024,
  fetchWaitMs: 500,
};

export interface CompiledKafkaOptions extends KafkaLimits {
  readonly brokers: readonly Address[];
  readonly client: KafkaClient;
  readonly clientId: string;
  readonly tls: TlsSource | null;
  readonly sasl: SaslOptions | null;
  readonly isolation: 0 | 1;
  readonly compression: Compression;
  readonly createAllowed: boolean;
  readonly replicationFactor: number;
  readonly topicConfigs: Readonly<Record<string, string>>;
}

/** What the adapter needs of its process. */
export interface KafkaEnvironment {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Lists everything that is wrong at once. */
export class KafkaOptionsError extends Error {
  override readonly name = 'KafkaOptionsError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`Kafka: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** @throws KafkaOptionsError */
export function compileKafkaOptions(options: KafkaOptions): CompiledKafkaOptions {
  const problems: string[] = [];
  const brokers = options.brokers.map((text) => parseAddress(text, problems));
  if (brokers.length === 0) problems.push('brokers: name at least one as HOST:PORT');
  const limits = { ...defaultKafkaLimits, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    if (!(Number.isFinite(value) && value > 0)) problems.push(`limits.${name} is ${value}, not a number above 0`);
  }
  const { compression = 'none', client = 'wire', isolation = 'read_committed', createTopics = {} } = options;
  oneOf('compression', compression, compressions, problems);
  oneOf('client', client, kafkaClients, problems);
  oneOf('isolation', isolation, ['read_committed', 'read_uncommitted'], problems);
  if (options.sasl !== undefined) oneOf('sasl.mechanism', options.sasl.mechanism, saslMechanisms, problems);
  const tls = compileTls(options.tls, problems);
  if (problems.length > 0) throw new KafkaOptionsError(problems);
  const { retentionMs, configs = {} } = createTopics;
  return Object.freeze({
    ...limits,
    brokers,
    client,
    clientId: options.clientId ?? 'holdfast',
    tls,
    sasl: options.sasl ?? null,
    isolation: isolation === 'read_committed' ? 1 : 0,
    compression,
    createAllowed: createTopics.allowed ?? true,
    replicationFactor: createTopics.replicationFactor ?? -1,
    topicConfigs: { ...(retentionMs === undefined ? {} : { 'retention.ms': String(retentionMs) }), ...configs },
  });
}

function oneOf(name: string, value: string, known: readonly string[], problems: string[]): void {
  if (!known.includes(value)) problems.push(`${name} is ${value}, not one of ${known.join(', ')}`);
}

function parseAddress(text: string, problems: string[]): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) problems.push(`brokers: ${text} is not HOST:PORT`);
  return { host: match?.[1] ?? match?.[2] ?? '', port };
}

function compileTls(tls: KafkaOptions['tls'], problems: string[]): TlsSource | null {
  if (tls === undefined || tls === false) return null;
  const source = new TlsSource(tls === true ? {} : tls);
  problems.push(...source.check());
  return source;
}
