import type { Compression, KafkaClient, SaslOptions } from '@holdfast/stream-kafka';

/** A password in the configuration itself, or the absolute path of a file that holds it, read when it is used. */
export type Secret = { readonly text: string } | { readonly file: string };

/** Absolute paths of PEM files; null where nothing is given. */
export interface TlsConfig {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly serverName: string | null;
}

export interface EmbeddedConfig {
  readonly kind: 'embedded';
  /** Null: the data folder's own. */
  readonly dir: string | null;
}

export type SaslConfig =
  | {
      readonly mechanism: Exclude<SaslOptions['mechanism'], 'OAUTHBEARER'>;
      readonly username: string;
      readonly password: Secret;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly tokenFile: string };

export interface KafkaConfig {
  readonly kind: 'kafka';
  readonly brokers: readonly string[];
  readonly client: KafkaClient;
  readonly clientId: string;
  /** Null: plain. */
  readonly tls: TlsConfig | null;
  readonly sasl: SaslConfig | null;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  readonly compression: Compression;
  readonly decompressedBytesMax: number;
  readonly retryTimeMs: number;
  readonly topics: {
    readonly create: boolean;
    readonly inputPartitions: number;
    /** Null: as the brokers are set. */
    readonly replicationFactor: number | null;
    readonly retentionMs: number | null;
    readonly deadLetterRetentionMs: number;
    readonly configs: Readonly<Record<string, string>>;
  };
  readonly connectDeadlineMs: number;
}

export type RedisServersConfig =
  | { readonly kind: 'single'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly nodes: readonly string[];
      readonly name: string;
      readonly username: string | null;
      readonly password: Secret | null;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly string[] };

export interface RedisConfig {
  readonly kind: 'redis';
  readonly servers: RedisServersConfig;
  readonly username: string | null;
  readonly password: Secret | null;
  readonly db: number | null;
  readonly keyPrefix: string;
  readonly tls: TlsConfig | null;
  readonly connectDeadlineMs: number;
  readonly commands: 'auto' | 'script';
}

/** What a node keeps outside of itself. */
export interface NodeServices {
  readonly log: EmbeddedConfig | KafkaConfig;
  readonly store: EmbeddedConfig | RedisConfig;
}
