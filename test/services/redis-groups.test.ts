import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { backupStoreConformance } from '@holdfast/testkit';
import { waitFor } from '../cluster/support/wait.ts';
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

test('Redis Cluster: a client that is closed while it looks for the masters keeps no process from its end', async () => {
  const { options } = await cluster();
  const script = fileURLToPath(new URL('support/closed-in-refresh.ts', import.meta.url));
  const args = ['--conditions=source', script, ...options.cluster.nodes];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    const code = await waitFor('the end of the process', 30_000, () => child.exitCode);
    assert.deepEqual([code, said], [0, 'closed\n']);
  } finally {
    child.kill('SIGKILL');
  }
});
