import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import { bucketOf, formatUnit } from '@holdfast/model';
import type { BackupStoreHarness } from '@holdfast/testkit';
import type { RedisServer } from './redis-server.ts';

/** The user of deploy/redis/users.acl may touch keys below `holdfast:`. */
export function newPrefix(): string {
  return `holdfast:${randomUUID()}:`;
}

/** As if they had never been: what a wiped store of that prefix looks like. */
export async function deleteKeys(servers: readonly RedisServer[], prefix: string): Promise<void> {
  for (const server of servers) {
    const keys = (await server.cli('--raw', 'KEYS', `${prefix}*`)).split('\n').filter((key) => key !== '');
    // One by one: they are in many slots of a cluster.
    await server.pipe(keys.map((key) => `UNLINK ${key}`));
  }
}

/** The rules of the example, for ACL SETUSER, with another password. */
export function storeUserAcl(password: string): string[] {
  const text = readFileSync(new URL('../../deploy/redis/users.acl', import.meta.url), 'utf8');
  const line = text.split('\n').find((candidate) => candidate.startsWith('user holdfast '));
  if (line === undefined) throw new Error('deploy/redis/users.acl has no user holdfast');
  const [, name = '', ...rules] = line.split(' ');
  return [name, ...rules.map((rule) => (rule.startsWith('>') ? `>${password}` : rule))];
}

/** Each harness has keys of its own on the same servers. */
export function harnessOn(
  servers: () => Promise<{ readonly all: readonly RedisServer[]; readonly options: RedisStoreOptions }>,
): () => Promise<BackupStoreHarness> {
  return async () => {
    const { all, options } = await servers();
    const keyPrefix = newPrefix();
    return {
      open: () => RedisBackupStore.open({ ...options, keyPrefix }),
      lose: () => deleteKeys(all, keyPrefix),
      bend: async ({ hi, lo }, part) => {
        const field = formatUnit(hi, lo).replace(/../g, '\\x$&');
        const bent = part === 'all' ? "'\\9'..string.sub(v,2)" : 'string.sub(v,1,-2)';
        const script = `local v=redis.call('HGET',KEYS[1],ARGV[1]) return redis.call('HSET',KEYS[1],ARGV[1],${bent})`;
        const command = `EVAL "${script}" 1 ${keyPrefix}{b${bucketOf(hi, lo)}}:rows "${field}"`;
        // In a cluster one of them has the key; the others say so.
        const tries = await Promise.allSettled(all.map((server) => server.pipe([command])));
        if (!tries.some(({ status }) => status === 'fulfilled')) throw new Error('no server has the row');
      },
      close: () => deleteKeys(all, keyPrefix),
    };
  };
}

/** Servers that several suites share: started when the first asks. */
export function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | null = null;
  return () => (started ??= start());
}
