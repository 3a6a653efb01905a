import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { CompiledRedisOptions } from './options.ts';

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
export function createClient(options: CompiledRedisOptions): RedisClient {
  const { topology, tls } = options;
  const tlsOptions = tls === null ? undefined : (tls as ConnectionOptions);
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
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(tlsOptions === undefined ? {} : { tls: tlsOptions }),
  } satisfies RedisOptions;
  if (topology.kind === 'standalone') {
    return new Redis({ ...common, host: topology.host, port: topology.port, db: options.db });
  }
  if (topology.kind === 'sentinel') {
    return new Redis({
      ...common,
      db: options.db,
      name: topology.name,
      sentinels: topology.nodes.map(({ host, port }) => ({ host, port })),
      sentinelRetryStrategy: retryDelayMs,
      sentinelCommandTimeout: options.replyTimeoutMs,
      failoverDetector: true,
      ...(topology.username === undefined ? {} : { sentinelUsername: topology.username }),
      ...(topology.password === undefined ? {} : { sentinelPassword: topology.password }),
      ...(topology.tls && tlsOptions !== undefined ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions } : {}),
    });
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
  cluster.on('+node', minded);
  refreshSlots(cluster);
  return cluster;
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
