import { pause, waitFor } from '../../cluster/support/wait.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between, oneOf } from './draw.ts';
import { sumOf } from './sum-of.ts';

export const fullStore: Scenario = {
  faults: ['F31'],
  title: 'Redis is out of memory, and later has a policy that evicts',
  injects: 'maxmemory below what is used for 10 s, then none; maxmemory-policy allkeys-lru, and a node starts anew',
  holds:
    'I6: nothing counts as durable that was refused; the node refuses to start on an evicting Redis, and says the fix',
  needs: [],
  deadlineMs: 180_000,
  nodesEnd: true,
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const { redis } = KafkaAndRedis.of(fire);
    await cluster.holder();
    say('Redis takes no more writes');
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1mb');
    const isRefused = () => cluster.nodes.some(({ output }) => output.includes('takes no writes'));
    await waitFor('a refused write', 30_000, () => isRefused() || null);
    await pause(between(rng, 2_000, 4_000));
    const { committed, ends } = await cluster.progress();
    await pause(between(rng, 6_000, 8_000));
    const later = await cluster.progress();
    saw('recordsMeanwhile', sumOf(later.ends) - sumOf(ends));
    if (later.committed.join() !== committed.join())
      throw new Error(`I6: committed without room: ${committed.join()}, then ${later.committed.join()}`);
    saw('refusedWrites');
    say('there is room again');
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    await cluster.inStatus('no complaint of backups', ({ cluster: { reasons } }) => {
      return !reasons.some(({ code }) => code === 'BACKUP_FAILING');
    });

    await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const node = oneOf(rng, cluster.nodes);
    say(`kill -9 ${node.id}, which starts on a Redis that evicts`);
    await node.signal('SIGKILL');
    node.start();
    await waitFor(`${node.id} to refuse`, 30_000, () => (node.running ? null : true));
    if (node.exitCode !== 1 || !/maxmemory-policy allkeys-lru: .*noeviction/.test(node.output))
      throw new Error(`${node.id} ended with code ${node.exitCode}: ${node.output.split('\n').slice(-3).join(' ')}`);
    saw('startsRefused');
    await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    node.start();
    await cluster.whole();
  },
};
