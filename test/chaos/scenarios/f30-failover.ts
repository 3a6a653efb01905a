import { pause, waitFor } from '../../cluster/support/wait.ts';
import { type SentinelTrio, sentinelMasterName, startSentinelTrio } from '../../services/redis-groups.ts';
import type { RedisServer } from '../../services/redis-server.ts';
import { KafkaAndRedis, type NotePid, type RedisSide } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between } from './draw.ts';

const failoverMs = 40_000;

/** A master, a replica, and three Sentinels. */
class SentinelRedis implements RedisSide {
  readonly trio: SentinelTrio;
  readonly settings: RedisSide['settings'];
  readonly options: RedisSide['options'];

  constructor(trio: SentinelTrio) {
    this.trio = trio;
    const nodes = trio.sentinels.map(({ address }) => address);
    this.settings = { sentinels: nodes, sentinelName: sentinelMasterName };
    this.options = { sentinel: { nodes, name: sentinelMasterName } };
  }

  static async open(dir: string, notePid: NotePid): Promise<SentinelRedis> {
    const redis = new SentinelRedis(await startSentinelTrio(dir));
    for (const { pid } of redis.all) notePid(pid);
    return redis;
  }

  get all(): RedisServer[] {
    const { master, replica, sentinels } = this.trio;
    return [master, replica, ...sentinels];
  }

  /** Who is master now, and who would be next. */
  async roles(): Promise<{ master: RedisServer; replica: RedisServer }> {
    const { master, replica } = this.trio;
    return (await this.trio.masterPort()) === master.port ? { master, replica } : { master: replica, replica: master };
  }

  async failedOver(to: RedisServer): Promise<void> {
    await waitFor('a failover', failoverMs, async () => ((await this.trio.masterPort()) === to.port ? true : null));
  }

  /** The other one follows the master, and has what it has. */
  async followed(): Promise<void> {
    await waitFor('a replica that follows', failoverMs, async () => {
      const { replica } = await this.roles();
      const info = await replica.cli('INFO', 'replication').catch(() => '');
      return (info.includes('role:slave') && info.includes('master_link_status:up')) || null;
    });
  }

  async stop(): Promise<void> {
    await this.trio.stop();
  }
}

/** From here on nothing that the master takes reaches its replica. */
async function keepFromFollowing(master: RedisServer): Promise<void> {
  await master.cli('ACL', 'SETUSER', 'follower', 'off');
  await master.cli('CLIENT', 'KILL', 'TYPE', 'replica');
}

export const failover: Scenario = {
  faults: ['F30'],
  title: 'a failover of Redis loses accepted writes, and the old master takes some more',
  injects:
    'a replica that lags takes over: from a master that was killed, then from one that was only stopped, with a node; ' +
    'both wake up and write on',
  holds: 'I2, I4, I6: each is another generation, the old one is fenced; what was lost is written back or read again',
  needs: [],
  deadlineMs: 300_000,
  settleMs: 120_000,
  services: KafkaAndRedis.opening({ openRedis: SentinelRedis.open }),
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const redis = KafkaAndRedis.of(fire).redisSide(SentinelRedis);
    await cluster.holder();
    const first = await redis.roles();
    await keepFromFollowing(first.master);
    await pause(between(rng, 2_500, 5_000));
    say('kill -9 of the master, whose replica lags');
    await first.master.stop();
    await redis.failedOver(first.replica);
    saw('failovers');
    await first.master.start();
    await redis.followed();
    await cluster.whole();
    await pause(between(rng, 3_000, 6_000));

    const { master, replica } = await redis.roles();
    await keepFromFollowing(master);
    await pause(between(rng, 2_500, 4_000));
    const node = await cluster.holder();
    say(`SIGSTOP of the master, whose replica lags, and of ${node.id}`);
    master.signal('SIGSTOP');
    await node.signal('SIGSTOP');
    try {
      await redis.failedOver(replica);
      saw('failovers');
      await pause(between(rng, 0, 2_000));
    } finally {
      say('both wake up');
      master.signal('SIGCONT');
      await node.signal('SIGCONT');
    }
    await master.cli('ACL', 'SETUSER', 'follower', 'on');
    await redis.followed();
    await cluster.whole();
  },
};
