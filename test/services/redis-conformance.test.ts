import { after } from 'node:test';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import { type BackupStoreHarness, backupStoreConformance } from '@holdfast/testkit';
import { sentinelMasterName, startRedisCluster, startSentinelTrio } from './redis-groups.ts';
import { type RedisServer, serviceFolder, startRedis } from './redis-server.ts';
import { deleteKeys, newPrefix, storeUserAcl } from './redis-store-support.ts';

const { dir, remove } = serviceFolder('redis-conformance');
const stops: (() => Promise<void>)[] = [];
after(async () => {
  for (const stop of stops) await stop();
  remove();
});

/** Each harness has keys of its own on the same servers. */
function harnessOn(
  servers: () => Promise<{ readonly all: readonly RedisServer[]; readonly options: RedisStoreOptions }>,
): () => Promise<BackupStoreHarness> {
  return async () => {
    const { all, options } = await servers();
    const keyPrefix = newPrefix();
    return {
      open: () => RedisBackupStore.open({ ...options, keyPrefix }),
      lose: () => deleteKeys(all, keyPrefix),
      close: () => deleteKeys(all, keyPrefix),
    };
  };
}

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | null = null;
  return () => (started ??= start());
}

const standalone = once(async () => {
  const server = await startRedis(dir, { appendonly: 'yes', appendfsync: 'always' });
  stops.push(() => server.stop());
  return { all: [server], options: { url: `redis://${server.address}` } };
});

backupStoreConformance('Redis', harnessOn(standalone), { histories: 25 });

backupStoreConformance(
  'Redis, without functions',
  harnessOn(async () => {
    const { all, options } = await standalone();
    return { all, options: { ...options, commands: 'script' } };
  }),
  { histories: 10 },
);

backupStoreConformance(
  'Redis, as the user of deploy/redis/users.acl',
  harnessOn(
    once(async () => {
      const server = await startRedis(dir);
      stops.push(() => server.stop());
      await server.cli('ACL', 'SETUSER', ...storeUserAcl('secret'));
      return { all: [server], options: { url: `redis://${server.address}`, username: 'holdfast', password: 'secret' } };
    }),
  ),
  { histories: 10 },
);

backupStoreConformance(
  'Redis with Sentinel',
  harnessOn(
    once(async () => {
      const trio = await startSentinelTrio(dir);
      stops.push(() => trio.stop());
      const nodes = trio.sentinels.map(({ address }) => address);
      return { all: [trio.master], options: { sentinel: { name: sentinelMasterName, nodes } } };
    }),
  ),
  { histories: 10 },
);

backupStoreConformance(
  'Redis Cluster',
  harnessOn(
    once(async () => {
      const cluster = await startRedisCluster(dir);
      stops.push(() => cluster.stop());
      return {
        all: await cluster.masters(),
        options: { cluster: { nodes: cluster.nodes.map(({ address }) => address) } },
      };
    }),
  ),
  { histories: 10 },
);
