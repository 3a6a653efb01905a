import { pause, waitFor } from '../../cluster/support/wait.ts';
import { type SentinelTrio, sentinelMasterName, startSentinelTrio } from '../../services/redis-groups.ts';
import type { RedisServer } from '../../services/redis-server.ts';
import { KafkaAndRedis, type NotePid, type RedisSide } from '../harness/kafka-and-redis.ts';
import { isStopped } from '../harness/look-at-process.ts';
import type { Judgement, Scenario } from '../harness/scenario.ts';
import { callsOf, type History } from '../history/read-history.ts';
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
async function keepFromFollowing({ master, replica }: { master: RedisServer; replica: RedisServer }): Promise<void> {
  await master.cli('ACL', 'SETUSER', 'follower', 'off');
  await master.cli('CLIENT', 'KILL', 'TYPE', 'replica');
  const isCut = async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:down') || null;
  await waitFor('a replica that follows no more', failoverMs, isCut);
}

const lagging = 'the replica hears nothing any more';
const awake = 'both wake up';

export const failover: Scenario = {
  faults: ['F30'],
  title: 'a failover of Redis loses accepted writes, and the old master takes some more',
  injects:
    'a replica that lags takes over: from a master that was killed, then from one that was only stopped, with a node that ' +
    'has rows to write; both wake up, and it writes them there',
  holds: 'I2, I4, I6: each is another generation, the old one is fenced; what was lost is written back or read again',
  needs: [],
  deadlineMs: 300_000,
  settleMs: 120_000,
  services: KafkaAndRedis.opening({ openRedis: SentinelRedis.open }),
  mustSee: [['storeLives', 3], 'rowsLost', 'rowsOfTheOld'],
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const redis = KafkaAndRedis.of(fire).redisSide(SentinelRedis);
    await cluster.holder();
    const first = await redis.roles();
    await keepFromFollowing(first);
    say(lagging);
    await pause(between(rng, 2_500, 5_000));
    say('kill -9 of the master, whose replica lags');
    await first.master.stop();
    await redis.failedOver(first.replica);
    saw('failovers');
    await first.master.start();
    await redis.followed();
    await cluster.whole();
    await pause(between(rng, 3_000, 6_000));

    const second = await redis.roles();
    const { master, replica } = second;
    await keepFromFollowing(second);
    say(lagging);
    await pause(between(rng, 2_500, 4_000));
    const node = await cluster.holder();
    // It has rows in hand, and writes them first of all when it wakes: to the master that it knows.
    await cluster.hook(node.id, { kind: 'stopAtBackup' });
    await waitFor('it to stop before its next rows', 15_000, () => (isStopped(node.pid!) ? true : null), 50);
    say(`SIGSTOP of the master, whose replica lags, and ${node.id} stands`);
    master.signal('SIGSTOP');
    try {
      await redis.failedOver(replica);
      saw('failovers');
      await pause(between(rng, 0, 2_000));
    } finally {
      say(awake);
      master.signal('SIGCONT');
      await node.signal('SIGCONT');
    }
    await master.cli('ACL', 'SETUSER', 'follower', 'on');
    await redis.followed();
    await cluster.whole();
  },
  judge: (history) => takenInVain(history),
};

/** Rows that a master has accepted while its replica heard nothing, and those that the old one took after its time. */
function takenInVain(history: History): Judgement {
  const timesOf = (isMeant: (text: string) => boolean): number[] =>
    history.events.flatMap(({ event }) => (event.k === 'fault' && isMeant(event.text) ? [event.t] : []));
  const lags = timesOf((text) => text === lagging);
  const ends = timesOf((text) => text.includes('whose replica lags'));
  const [awakeUs = Number.NaN] = timesOf((text) => text === awake);
  const lost = lags.map(() => 0);
  /** What the master that was stopped took for its history. */
  let former = '';
  let rowsOfTheOld = 0;
  for (const { asked, done, endUs } of callsOf(history, 'backup')) {
    const accepted = done?.results.filter(([code]) => code === 'OK').length ?? 0;
    for (const [i, fromUs] of lags.entries()) {
      if (accepted === 0 || asked.t < fromUs || endUs > ends[i]!) continue;
      lost[i]! += accepted;
      former = asked.generation;
    }
    if (endUs > awakeUs && asked.generation === former) rowsOfTheOld += accepted;
  }
  return { violations: [], seen: { rowsLost: Math.min(...lost), rowsOfTheOld } };
}
