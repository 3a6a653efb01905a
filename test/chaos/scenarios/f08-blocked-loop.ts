import { pause, waitFor } from '../../cluster/support/wait.ts';
import { type ChaosCluster, usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { shuffled } from './draw.ts';
import { nobodyDied } from './nobody-died.ts';
import { sessionsStay } from './same-sessions.ts';

export const blockedLoop: Scenario = {
  faults: ['F08'],
  title: 'an event loop is blocked for 2 s',
  injects: "the control thread, then the shards' threads, of each node in turn stand still for 2 s",
  holds: 'I1, I3, I18: shorter than a suspicion and a session, so nobody dies and no session ends',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 180_000,
  async inject({ cluster, rng, say, saw }) {
    const before = await cluster.whole();
    for (const { id } of shuffled(rng, cluster.nodes)) {
      for (const thread of shuffled(rng, ['control', 'shards'] as const)) {
        say(`${thread} of ${id} for 2000 ms`);
        const blocked = shardsBlocked(cluster, id);
        await cluster.hook(id, { kind: 'block', thread, ms: 2_000 });
        await pause(2_500);
        // The control thread has only passed it on.
        if (thread === 'shards')
          await waitFor(`the shards of ${id} to stand`, 10_000, () => shardsBlocked(cluster, id) > blocked || null);
        saw('blocks');
      }
    }
    await sessionsStay(cluster, before);
    nobodyDied(cluster);
  },
};

/** How often shards of the node were told to stand. */
function shardsBlocked(cluster: ChaosCluster, id: string): number {
  return cluster.node(id).output.split('"where":"shard","kind":"block"').length - 1;
}
