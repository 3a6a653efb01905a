import { join } from 'node:path';
import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { commitsAfterTheEnd } from '../history/late-commits.ts';
import { readHistory } from '../history/read-history.ts';
import { changedSessions } from './sessions.ts';

export const expiredReader: Scenario = {
  faults: ['F36'],
  title: 'partitions are lost by the end of a session',
  injects: 'SIGSTOP of a node that reads and has changes that no backup covers for 2 TTL, twice, under load',
  holds: 'I6; nothing is committed under a session that is over',
  needs: [],
  deadlineMs: 180_000,
  mustSee: ['sessionEnds'],
  services: KafkaAndRedis.opening(),
  async inject({ cluster, say, saw }) {
    for (let times = 0; times < 2; times++) {
      const before = await cluster.whole();
      const reads = new Set(
        before.nodes.filter(({ shards }) => shards.some((shard) => shard.partitions.length > 0)).map(({ id }) => id),
      );
      const node = await cluster.holder(20, (id) => reads.has(id));
      say(`SIGSTOP ${node.id} for ${2 * sessionTtlMs} ms`);
      await node.signal('SIGSTOP');
      await pause(2 * sessionTtlMs);
      say(`SIGCONT ${node.id}`);
      await node.signal('SIGCONT');
      await cluster.inStatus(`another session of ${node.id}`, (now) => {
        return now.nodes.every(({ session }) => session.id !== null) && changedSessions(before, now).includes(node.id);
      });
      saw('readersExpired');
      await pause(2_000);
    }
  },
  async after({ cluster }) {
    const late = commitsAfterTheEnd(readHistory(join(cluster.dir, 'history')));
    if (late.length > 0) throw new Error(`committed after the session's end: ${late.slice(0, 5).join('; ')}`);
  },
};
