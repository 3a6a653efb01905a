import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { shuffled } from './draw.ts';
import { packetsCut } from './packets-hit.ts';

type Role = 'leader' | 'holder' | 'follower';

const isolatedMs = sessionTtlMs + 4_000;

async function nodeIn(role: Role, { cluster }: Fire): Promise<string> {
  const { id: leader } = await cluster.leader();
  if (role === 'leader') return leader;
  const holder = await cluster.holder(20, (id) => id !== leader);
  return role === 'holder' ? holder.id : cluster.others(leader, holder.id)[0]!.id;
}

export const isolatedNodes: Scenario = {
  faults: ['F11'],
  title: 'the leader, a holder and a follower are cut off from all others',
  injects: 'one after the other, all packets between it and every other node are dropped for longer than a session',
  holds: 'I1, I5, I7, I8: the others take over, what the cut-off node still writes is fenced, and it comes back',
  needs: ['namespaces'],
  deadlineMs: 180_000,
  mustSee: ['sessionEnds'],
  async inject(fire) {
    const { cluster, network, rng, say, saw } = fire;
    for (const role of shuffled(rng, ['leader', 'holder', 'follower'] as const)) {
      const id = await nodeIn(role, fire);
      const before = (await cluster.whole()).nodes.find((row) => row.id === id)!.session.id;
      say(`${id}, a ${role}, is cut off for ${isolatedMs} ms`);
      network.isolate(id);
      await pause(isolatedMs);
      const others = cluster.others(id).map((node) => node.id);
      await cluster.inStatus(
        `a leader among ${others.join()}`,
        (status) => others.includes(status.cluster.leader ?? ''),
        20_000,
        others,
      );
      saw('packetsCut', packetsCut(network, [id]));
      network.heal();
      say(`${id} is back`);
      await cluster.inStatus(`another session of ${id}`, ({ nodes }) => {
        const { session } = nodes.find((row) => row.id === id)!;
        return session.id !== null && session.id !== before;
      });
      saw('sessionsLost');
      await cluster.whole();
    }
  },
};
