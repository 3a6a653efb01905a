import { after } from 'node:test';
import { backupStoreConformance } from '@holdfast/testkit';
import { sentinelMasterName, startRedisCluster, startSentinelTrio } from './redis-groups.ts';
import { serviceFolder } from './redis-server.ts';
import { harnessOn, once, storeUserAcl } from './redis-store-support.ts';

const { dir, remove } = serviceFolder('redis-groups');
const stops: (() => Promise<void>)[] = [];
after(async () => {
  for (const stop of stops) await stop();
  remove();
});

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

const cluster = once(async () => {
  const { nodes, masters, stop } = await startRedisCluster(dir);
  stops.push(stop);
  for (const node of nodes) await node.cli('ACL', 'SETUSER', ...storeUserAcl('secret'));
  return { all: await masters(), options: { cluster: { nodes: nodes.map(({ address }) => address) } } };
});

backupStoreConformance('Redis Cluster', harnessOn(cluster), { histories: 10 });

backupStoreConformance(
  'Redis Cluster, as the user of deploy/redis/users.acl',
  harnessOn(async () => {
    const { all, options } = await cluster();
    return { all, options: { ...options, username: 'holdfast', password: 'secret' } };
  }),
  { histories: 3 },
);
