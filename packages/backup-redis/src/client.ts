import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { Logger } from '@holdfast/model';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { CompiledRedisOptions, RedisTlsOptions } from './options.ts';
import { type Renewable, Renewed } from './renewed.ts';

export type RedisClient = Redis | Cluster;

/** Masters change without a word: what was MOVED is found at once, what is silent by looking again so often. */
const slotsRefreshMs = 5_000;

/** Steady waits between tries to connect again. */
function retryDelayMs(tries: number): number {
  return Math.min(20 * 2 ** Math.min(tries, 7), 2_000);
}

/**
 * A client that holds nothing back: what can't be sent now is rejected, what a broken connection leaves unanswered is
 * rejected too, and never sent again behind the store's back.
 */
export function createClient(options: CompiledRedisOptions, logger: Logger): RedisClient {
  const { topology, tls } = options;
  const secret = (given: Renewable<string> | undefined, what: string) =>
    given === undefined ? undefined : new Renewed(what, given, logger);
  const password = secret(options.password, 'password');
  const certificates =
    tls === null ? undefined : new Renewed<ConnectionOptions>('tls', asTlsOptions(tls), logger, createSecureContext);
  const common = {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // RESP2: the same handshake with every server.
    protocol: 2,
    disableClientInfo: true,
    connectionName: 'holdfast',
    connectTimeout: options.replyTimeoutMs,
    socketTimeout: options.replyTimeoutMs,
    // For a reply that never comes on a connection that is otherwise busy.
    commandTimeout: options.callTimeoutMs,
    // A master that became a replica keeps its connections.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    retryStrategy: retryDelayMs,
    ...(options.username === undefined ? {} : { username: options.username }),
  } satisfies RedisOptions;
  if (topology.kind === 'standalone') {
    const client = new Redis({ ...common, host: topology.host, port: topology.port, db: options.db });
    readAnew(client.options, { password, tls: certificates });
    return client;
  }
  if (topology.kind === 'sentinel') {
    const client = new Redis({
      ...common,
      db: options.db,
      name: topology.name,
      sentinels: topology.nodes.map(({ host, port }) => ({ host, port })),
      sentinelRetryStrategy: retryDelayMs,
      sentinelCommandTimeout: options.replyTimeoutMs,
      failoverDetector: true,
      ...(topology.username === undefined ? {} : { sentinelUsername: topology.username }),
      enableTLSForSentinelMode: topology.tls,
    });
    const sentinelPassword = secret(topology.password, 'sentinel.password');
    const sentinelTLS = topology.tls ? certificates : undefined;
    readAnew(client.options, { password, tls: certificates, sentinelPassword, sentinelTLS });
    return client;
  }
  const {
    lazyConnect: _lazy,
    retryStrategy: _retry,
    enableOfflineQueue: _queue,
    reconnectOnError: _on,
    ...node
  } = common;
  const cluster = new Cluster(
    topology.nodes.map(({ host, port }) => ({ host, port })),
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: retryDelayMs,
      slotsRefreshTimeout: options.replyTimeoutMs,
      slotsRefreshInterval: 0,
      // Names in certificates are those of the addresses.
      dnsLookup: (address, callback) => callback(null, address),
      redisOptions: node,
    },
  );
  // Each server has a client of its own, which isn't connected yet.
  cluster.on('+node', (client: Redis) => {
    minded(client);
    readAnew(client.options, { password, tls: certificates });
  });
  refreshSlots(cluster);
  return cluster;
}

/** ioredis reads them from its options whenever it connects. */
function readAnew(
  options: RedisOptions,
  values: Readonly<Record<string, Renewed<string> | Renewed<ConnectionOptions> | undefined>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) Object.defineProperty(options, name, { get: () => value.now, enumerable: true });
  }
}

function asTlsOptions(tls: Renewable<RedisTlsOptions>): Renewable<ConnectionOptions> {
  return tls as Renewable<ConnectionOptions>;
}

/**
 * Instead of ioredis's own interval, which goes on for ever, and keeps the process from its end, when the client is closed
 * while it looks.
 */
function refreshSlots(cluster: Cluster): void {
  let timer: NodeJS.Timeout | undefined;
  cluster.on('ready', () => {
    clearInterval(timer);
    timer = setInterval(() => cluster.refreshSlotsCache(), slotsRefreshMs).unref();
  });
  cluster.on('close', () => clearInterval(timer));
}

/**
 * Where a slot is on its way to another server, ioredis sends ASKING before the command, and drops the promise of it: a
 * server that is away would end this process. The command fails too, and is tried again.
 */
function minded(node: Redis): void {
  const asking = node.asking.bind(node) as () => Promise<'OK'>;
  const mindedAsking = (): Promise<'OK'> => {
    const answer = asking();
    answer.catch(() => undefined);
    return answer;
  };
  node.asking = mindedAsking as typeof node.asking;
}

/** The servers that take writes: one, or the masters of the cluster. */
export function mastersOf(client: RedisClient): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

export function addressOf(master: Redis): string {
  const { host, port } = master.options;
  const remote = master.stream as { remoteAddress?: string; remotePort?: number } | undefined;
  if (remote?.remoteAddress !== undefined) return `${remote.remoteAddress}:${remote.remotePort}`;
  return `${host ?? 'localhost'}:${port ?? 6379}`;
}
