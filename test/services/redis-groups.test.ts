import { after } from 'node:test';
import { backupStoreConformance } from '@holdfast/testkit';
import { sentinelMasterName, startRedisCluster, startSentinelTrio } from './redis-groups.ts';
import { serviceFolder } from './redis-server.ts';
import { harnessOn, once } from './redis-store-support.ts';

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
