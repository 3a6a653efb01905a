import { RedisStoreError } from './errors.ts';
import type { Renewable } from './renewed.ts';

/** How the store's server is reached. Exactly one of `url`, `sentinel` and `cluster` is given. */
export interface RedisStoreOptions {
  /** A single server: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS. */
  readonly url?: string;
  /** Sentinels as `host:port`, and the name under which they know the master. Their credentials are their own. */
  readonly sentinel?: {
    readonly name: string;
    readonly nodes: readonly string[];
    readonly username?: string;
    readonly password?: Renewable<string>;
    /** The sentinels speak TLS too, with the options of `tls`. */
    readonly tls?: boolean;
  };
  /** Nodes of a Redis Cluster as `host:port`; the others are found by them. */
  readonly cluster?: { readonly nodes: readonly string[] };
  /** Wins over the one in `url`. */
  readonly username?: string;
  /** Wins over the one in `url`. A function is asked for each connection. */
  readonly password?: Renewable<string>;
  /** 0 in a cluster. */
  readonly db?: number;
  /** PEM texts; `{}` trusts the system's authorities. A function is asked for each connection. */
  readonly tls?: Renewable<RedisTlsOptions> | null;
  /** Before every key. Two clusters of holdfast on one Redis need two. No `{` or `}`. */
  readonly keyPrefix?: string;
  /** How long the start waits for a server that doesn't answer. */
  readonly connectDeadlineMs?: number;
  /** Until a call of the port is answered or rejects, with all its repetitions. */
  readonly callTimeoutMs?: number;
  /** A connection on which a reply is due is cut when nothing arrives for so long. */
  readonly replyTimeoutMs?: number;
  /** Rows, claims or marks of a bucket in one call of the server: it does nothing else meanwhile. */
  readonly rowsPerCallMax?: number;
  /** Bytes of rows in one call of the server; a larger row goes alone. */
  readonly bytesPerCallMax?: number;
  /** Calls on their way to the servers at a time; the rest of a call of the port waits. */
  readonly callsInFlightMax?: number;
  /** `script`: for servers whose operator allows no functions. `auto`: functions, scripts where there are none. */
  readonly commands?: 'auto' | 'script';
}

export interface RedisTlsOptions {
  readonly ca?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name that the certificate has to carry, where it isn't the host's. */
  readonly servername?: string;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export type Topology =
  | ({ readonly kind: 'standalone' } & ServerAddress)
  | {
      readonly kind: 'sentinel';
      readonly name: string;
      readonly nodes: readonly ServerAddress[];
      readonly username: string | undefined;
      readonly password: Renewable<string> | undefined;
      readonly tls: boolean;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly ServerAddress[] };

export interface CompiledRedisOptions {
  readonly topology: Topology;
  readonly username: string | undefined;
  readonly password: Renewable<string> | undefined;
  readonly db: number;
  readonly tls: Renewable<RedisTlsOptions> | null;
  readonly keyPrefix: string;
  readonly connectDeadlineMs: number;
  readonly callTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly rowsPerCallMax: number;
  readonly bytesPerCallMax: number;
  readonly callsInFlightMax: number;
  readonly commands: 'auto' | 'script';
}

export const redisStoreDefaults = {
  keyPrefix: 'holdfast:',
  /** A cluster that is started together with its Redis; two minutes cover the restart of a machine. */
  connectDeadlineMs: 120_000,
  /** Longer than a failover's first retries, shorter than a session: the caller repeats anyway. */
  callTimeoutMs: 8_000,
  /** No call that this store makes takes a healthy server a tenth of it. */
  replyTimeoutMs: 3_000,
  /** About 1 ms of the server's time at 500 bytes a row. */
  rowsPerCallMax: 500,
  bytesPerCallMax: 256 << 10,
  /** With `bytesPerCallMax`: 16 MiB on their way at most, beside single large rows. */
  callsInFlightMax: 64,
  commands: 'auto',
} as const;

const limits = [
  'connectDeadlineMs',
  'callTimeoutMs',
  'replyTimeoutMs',
  'rowsPerCallMax',
  'bytesPerCallMax',
  'callsInFlightMax',
] as const;

/**
 * Checks options and fills in defaults.
 * @throws RedisStoreError OPTIONS, with all problems at once
 */
export function compileRedisOptions(options: RedisStoreOptions): CompiledRedisOptions {
  const problems: string[] = [];
  const merged = { ...redisStoreDefaults, ...definedOnly(options) };
  for (const name of limits) {
    const value = merged[name];
    if (!Number.isInteger(value) || value < 1) problems.push(`${name} is ${value}: expected a whole number from 1`);
  }
  if (merged.replyTimeoutMs > merged.callTimeoutMs) {
    problems.push(`replyTimeoutMs ${merged.replyTimeoutMs} is above callTimeoutMs ${merged.callTimeoutMs}`);
  }
  if (/[{}]/.test(merged.keyPrefix)) problems.push(`keyPrefix is ${merged.keyPrefix}: expected no { or }`);
  const url = options.url === undefined ? null : parseUrl(options.url, problems);
  const db = options.db ?? url?.db ?? 0;
  if (!Number.isInteger(db) || db < 0) problems.push(`db is ${db}: expected a whole number from 0`);
  if (options.cluster !== undefined && db !== 0) problems.push(`db is ${db}: a Redis Cluster has only 0`);
  const topology = topologyOf(options, url, problems);
  const username = options.username ?? url?.username;
  const password = options.password ?? url?.password;
  if (username !== undefined && password === undefined) problems.push('username is given, but no password');
  if (problems.length > 0 || topology === null) throw new RedisStoreError('OPTIONS', problems.join('; '));
  const tls = options.tls ?? (url?.tls === true ? {} : null);
  return Object.freeze({ ...merged, topology, username, password, db, tls });
}

/** Such as `redis 10.0.0.5:6379`; without credentials. */
export function describeTopology(topology: Topology): string {
  if (topology.kind === 'standalone') return `redis ${formatAddress(topology)}`;
  const nodes = topology.nodes.map(formatAddress).join(', ');
  return topology.kind === 'cluster' ? `redis cluster ${nodes}` : `redis ${topology.name} by sentinels ${nodes}`;
}

function formatAddress({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function topologyOf(options: RedisStoreOptions, url: ParsedUrl | null, problems: string[]): Topology | null {
  const { sentinel, cluster } = options;
  const given = [options.url, sentinel, cluster].filter((one) => one !== undefined).length;
  if (given !== 1) problems.push(`${given} of url, sentinel and cluster are given: expected exactly one`);
  if (cluster !== undefined) return { kind: 'cluster', nodes: parseNodes('cluster.nodes', cluster.nodes, problems) };
  if (sentinel !== undefined) {
    if (sentinel.name === '') problems.push('sentinel.name is empty: expected the name of the monitored master');
    const nodes = parseNodes('sentinel.nodes', sentinel.nodes, problems);
    const { name, username, password, tls = false } = sentinel;
    return { kind: 'sentinel', name, nodes, username, password, tls };
  }
  return url === null ? null : { kind: 'standalone', host: url.host, port: url.port };
}

function parseNodes(path: string, nodes: readonly string[], problems: string[]): ServerAddress[] {
  if (nodes.length === 0) problems.push(`${path} is empty: expected at least one host:port`);
  return nodes.flatMap((text) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (match === null || port < 1 || port > 65_535) {
      problems.push(`${path} has ${JSON.stringify(text)}: expected host:port`);
      return [];
    }
    return [{ host: match[1] ?? match[2]!, port }];
  });
}

interface ParsedUrl extends ServerAddress {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
}

function parseUrl(text: string, problems: string[]): ParsedUrl | null {
  const expected = 'expected redis://[user:password@]host[:port][/db], or rediss:// for TLS';
  if (!URL.canParse(text)) {
    // Not shown: it may hold a password.
    problems.push(`url is no URL: ${expected}`);
    return null;
  }
  const url = new URL(text);
  const db = url.pathname.replace(/^\//, '');
  if (!/^rediss?:$/.test(url.protocol) || url.hostname === '' || !/^\d*$/.test(db)) {
    problems.push(`url ${url.protocol}//${url.host}${url.pathname}: ${expected}`);
    return null;
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    db: Number(db),
    tls: url.protocol === 'rediss:',
  };
}

function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
