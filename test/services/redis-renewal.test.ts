import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import { startRedisCluster } from './redis-groups.ts';
import { type RedisServer, serviceFolder, startRedis } from './redis-server.ts';
import { newPrefix, storeUserAcl } from './redis-store-support.ts';

const { dir, remove } = serviceFolder('redis-renewal');
const stops: (() => Promise<void>)[] = [];
after(async () => {
  for (const stop of stops) await stop();
  remove();
});

/** A store goes on when its user has got another password, and its connections are cut. */
async function passwordChanges(all: readonly RedisServer[], options: RedisStoreOptions): Promise<void> {
  let password = 'first';
  for (const server of all) await server.cli('ACL', 'SETUSER', ...storeUserAcl(password));
  const given = { ...options, keyPrefix: newPrefix(), username: 'holdfast', password: () => password };
  const store = await RedisBackupStore.open(given);
  try {
    const before = await store.generationId();
    const changed = randomBytes(8).toString('hex');
    for (const server of all) await server.cli('ACL', 'SETUSER', 'holdfast', `>${changed}`);
    password = changed;
    for (const server of all) {
      await server.cli('ACL', 'SETUSER', 'holdfast', '<first');
      await server.cli('CLIENT', 'KILL', 'USER', 'holdfast');
    }
    assert.equal(await store.generationId(), before);
    await assert.rejects(RedisBackupStore.open({ ...given, password: 'first' }), { code: 'AUTHENTICATION' });
  } finally {
    await store.close();
  }
}

test('a changed password is taken for the next connection', async () => {
  const server = await startRedis(dir);
  stops.push(() => server.stop());
  await passwordChanges([server], { url: `redis://${server.address}` });
});

test('by each server of a cluster too', async () => {
  const { nodes, stop } = await startRedisCluster(dir);
  stops.push(stop);
  await passwordChanges(nodes, { cluster: { nodes: nodes.map(({ address }) => address) } });
});
