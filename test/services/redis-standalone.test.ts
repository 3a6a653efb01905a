import { after } from 'node:test';
import { backupStoreConformance } from '@holdfast/testkit';
import { serviceFolder, startRedis } from './redis-server.ts';
import { harnessOn, once, storeUserAcl } from './redis-store-support.ts';

const { dir, remove } = serviceFolder('redis-standalone');
const stops: (() => Promise<void>)[] = [];
after(async () => {
  for (const stop of stops) await stop();
  remove();
});

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
