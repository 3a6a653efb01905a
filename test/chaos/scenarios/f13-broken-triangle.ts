import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { packetsCut } from './packets-hit.ts';

export const brokenTriangle: Scenario = {
  faults: ['F13'],
  title: 'two nodes are cut from each other, a third reaches both',
  injects: 'the leader and one other node for 2 TTL, then two nodes that do not lead',
  holds: 'I1, I11, I7: no two leaders in a term; records between the two wait or are read elsewhere, none is lost',
  needs: ['namespaces'],
  deadlineMs: 150_000,
  async inject({ cluster, network, rng, say, saw }) {
    for (const who of ['leader', 'others'] as const) {
      const { id: leader } = await cluster.leader();
      const others = cluster.others(leader).map(({ id }) => id);
      const [a, b] = who === 'leader' ? [leader, oneOf(rng, others)] : [others[0]!, others[1]!];
      say(`${a} and ${b} are cut from each other for ${2 * sessionTtlMs} ms; ${leader} leads`);
      network.cut(a, b);
      await pause(2 * sessionTtlMs);
      saw('packetsCut', packetsCut(network, [a, b]));
      network.heal();
      saw('cuts');
      await cluster.whole();
    }
  },
};
