import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
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
      close: () => deleteKeys(all, keyPrefix),
    };
  };
}

/** Servers that several suites share: started when the first asks. */
export function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | null = null;
  return () => (started ??= start());
}
