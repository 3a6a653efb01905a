import type { Logger } from '@holdfast/model';
import type { Keeps } from './bucket-lives.ts';
import { createClient, mastersOf, type RedisClient } from './client.ts';
import { backoffMs, Deadline } from './deadline.ts';
import { RedisStoreError } from './errors.ts';
import { type CompiledRedisOptions, describeTopology } from './options.ts';
import { remedyOf, withoutCommand } from './reply-errors.ts';
import { checkServer, type Persistence, type ServerFacts, weakest } from './server-check.ts';
import { ServerFunction } from './server-function.ts';
import { StoreCalls } from './store-calls.ts';

const firstRetryMs = 100;
const retryMaxMs = 2_000;

export interface OpenedServers {
  readonly client: RedisClient;
  readonly calls: StoreCalls;
  readonly fn: ServerFunction;
  readonly facts: readonly ServerFacts[];
  /** As last looked at. */
  readonly persistence: Persistence;
  /** Looks again: whether a restart of the server keeps everything that was acknowledged. */
  readonly keepsAll: (deadline: Deadline) => Promise<Keeps>;
  /** Whether a write counts only once WAITAOF has answered. */
  readonly awaitsDisk: () => boolean;
}

/** @throws RedisStoreError UNREACHABLE, AUTHENTICATION, UNSUITABLE */
export async function openServers(options: CompiledRedisOptions, logger: Logger): Promise<OpenedServers> {
  const name = describeTopology(options.topology);
  const deadline = new Deadline(options.connectDeadlineMs);
  for (let tries = 0; ; tries++) {
    const client = createClient(options, logger);
    let connectionError: Error | null = null;
    const keepError = (error: Error) => {
      connectionError = error;
      withoutCommand(error);
    };
    client.on('error', keepError);
    client.on('node error', keepError);
    try {
      await connected(client, options.replyTimeoutMs * 2);
      const opened = await prepare(client, options, name, logger);
      client.off('node error', keepError);
      return opened;
    } catch (error) {
      client.disconnect();
      // A refused password shows as a closed connection, and as the connection's own error.
      const cause: unknown = error instanceof RedisStoreError ? error : (connectionError ?? error);
      const remedy = remedyOf(rootOf(cause), name);
      if (remedy instanceof RedisStoreError) throw remedy;
      const why = cause instanceof Error ? cause.message : String(cause);
      if (deadline.passed) {
        const text = `${name} can't be reached (${why}): is it running, and is the address right?`;
        throw new RedisStoreError('UNREACHABLE', text, { cause });
      }
      const waitMs = backoffMs(tries, firstRetryMs, retryMaxMs);
      logger.warn('the backup store is not reached yet', { server: name, tries: tries + 1, why, retryInMs: waitMs });
      await deadline.wait(waitMs);
    }
  }
}

/** ioredis goes on trying behind `connect` with Sentinel and Cluster: one try takes this long. */
async function connected(client: RedisClient, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([client.connect(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function prepare(
  client: RedisClient,
  options: CompiledRedisOptions,
  name: string,
  logger: Logger,
): Promise<OpenedServers> {
  const single = options.topology.kind === 'standalone';
  const look = async () => {
    const facts = await Promise.all(mastersOf(client).map((master) => checkServer(master, single)));
    return { facts, persistence: weakest(facts.map((one) => one.persistence)) };
  };
  const { facts, persistence } = await look();
  const fn = new ServerFunction(client, options.commands);
  await fn.load();
  const calls = new StoreCalls(client, fn, name, logger);
  for (const { address, version } of facts) logger.info('backup store server', { server: address, version });
  logger.info('backup store ready', { server: name, persistence, promise: promises[persistence], script: fn.isScript });
  const opened = {
    client,
    calls,
    fn,
    facts,
    persistence,
    keepsAll: async (deadline: Deadline): Promise<Keeps> => {
      const now = await calls.run(look, deadline);
      opened.persistence = now.persistence;
      if (!single) return { how: 'no', replicationId: null };
      const { replicationId = null } = now.facts[0] ?? {};
      return { how: keepsBy[now.persistence] ?? 'no', replicationId };
    },
    awaitsDisk: () => opened.persistence === 'everysec-awaited',
  };
  return opened;
}

const keepsBy: Partial<Record<Persistence, Keeps['how']>> = { always: 'answered', 'everysec-awaited': 'awaited' };

/** What a node's log says at its start. */
const promises: Readonly<Record<Persistence, string>> = {
  always: 'an acknowledged backup survives process and power crashes of a single server',
  'everysec-awaited': 'an acknowledged backup survives process and power crashes of a single server, a second later',
  everysec: 'a crash may undo the last two seconds of backups; they are replayed',
  snapshots: 'a restart may undo all since the last snapshot; it is replayed',
  none: 'a restart loses everything; it is replayed, as far as the log reaches back',
};

/** ioredis wraps what the last node of a cluster said. */
function rootOf(error: unknown): unknown {
  const last = (error as { lastNodeError?: unknown } | null)?.lastNodeError;
  return last ?? error;
}
