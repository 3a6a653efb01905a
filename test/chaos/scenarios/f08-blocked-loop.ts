import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
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
        await cluster.hook(id, { kind: 'block', thread, ms: 2_000 });
        await pause(2_500);
        saw('blocks');
      }
    }
    await sessionsStay(cluster, before);
    nobodyDied(cluster);
  },
};
