import type { RedisBackupStore, RedisStoreOptions } from '@holdfast/backup-redis';
import { LmdbBackupStore } from '@holdfast/embedded';
import type { BackupStore } from '@holdfast/engine';
import type { NodeConfig } from '../../config/node-config.ts';
import type { RedisConfig } from '../../config/service-config.ts';
import { ServiceError } from './service-error.ts';
import { readSecret, readTls } from './setting-file.ts';
import { type Reached, type ServiceEnvironment, untilReached } from './until-reached.ts';

/** Opens the configured backup store. @param embeddedPath where the embedded one lies @throws ServiceError */
export async function openStore(
  config: Pick<NodeConfig, 'store'>,
  embeddedPath: string,
  environment: ServiceEnvironment,
): Promise<BackupStore> {
  if (config.store.kind === 'redis') return openRedis(config.store, environment);
  return LmdbBackupStore.open(embeddedPath);
}

/** @throws ServiceError STORE_UNREACHABLE, STORE_DENIED, STORE_UNUSABLE, FILE_UNREADABLE, START_INTERRUPTED */
async function openRedis(config: RedisConfig, environment: ServiceEnvironment): Promise<RedisBackupStore> {
  const { RedisBackupStore, RedisStoreError } = await import('@holdfast/backup-redis');
  // One try, so that the waiting is this node's, and said.
  const options = { ...redisOptions(config), connectDeadlineMs: 1 };
  const attempt = async (): Promise<Reached<RedisBackupStore>> => {
    try {
      return { service: await RedisBackupStore.open(options, environment.logger.child('redis')) };
    } catch (error) {
      if (!(error instanceof RedisStoreError)) throw error;
      if (error.code === 'UNREACHABLE') return { why: error.message };
      const code = error.code === 'AUTHENTICATION' ? 'STORE_DENIED' : 'STORE_UNUSABLE';
      throw new ServiceError(code, error.message, { cause: error });
    }
  };
  const what = { name: nameOf(config), code: 'STORE_UNREACHABLE', deadlineMs: config.connectDeadlineMs } as const;
  return untilReached(environment, what, attempt);
}

/** Without credentials. */
function nameOf({ servers }: RedisConfig): string {
  if (servers.kind === 'single') return `Redis at ${new URL(servers.url).host}`;
  const nodes = servers.nodes.join(', ');
  return servers.kind === 'cluster' ? `Redis Cluster at ${nodes}` : `Redis ${servers.name} by Sentinels at ${nodes}`;
}

/** @throws ServiceError FILE_UNREADABLE */
export function redisOptions(config: RedisConfig): RedisStoreOptions {
  const { username, password, db, tls, keyPrefix, connectDeadlineMs, commands } = config;
  return {
    ...serverOptions(config),
    keyPrefix,
    connectDeadlineMs,
    commands,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password: renewed(() => readSecret('redis.passwordFile', password)) }),
    ...(db === null ? {} : { db }),
    ...(tls === null ? {} : { tls: renewed(() => readTls('redis', tls)) }),
  };
}

function serverOptions({ servers, tls }: RedisConfig): Pick<RedisStoreOptions, 'url' | 'sentinel' | 'cluster'> {
  if (servers.kind === 'single') return { url: servers.url };
  if (servers.kind === 'cluster') return { cluster: { nodes: servers.nodes } };
  const { nodes, name, username, password } = servers;
  return {
    sentinel: {
      nodes,
      name,
      tls: tls !== null,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password: renewed(() => readSecret('redis.sentinelPasswordFile', password)) }),
    },
  };
}

/** What can't be read is said at once. Later ones are for the connections that are made then. */
function renewed<T>(read: () => T): () => T {
  read();
  return read;
}
