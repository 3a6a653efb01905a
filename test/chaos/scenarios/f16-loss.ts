import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { deathsTold, nobodyDies } from './nobody-died.ts';
import { packetsCut } from './packets-hit.ts';

const eachMs = 12_000;

export const loss: Scenario = {
  faults: ['F16'],
  title: 'packets are lost: 5 %, 20 %, half of them',
  injects: 'each node drops that part of what comes from the others, for 12 s each, under load',
  holds: 'I5, I7; I18 with 5 %: nobody who lives is taken for dead',
  needs: ['namespaces'],
  deadlineMs: 150_000,
  async inject({ cluster, network, say, saw }) {
    for (const ratio of [0.05, 0.2, 0.5]) {
      say(`${ratio * 100} % of all packets are lost`);
      for (const { id } of cluster.nodes) network.lose(id, ratio);
      const before = deathsTold(cluster);
      await pause(eachMs);
      const ids = cluster.nodes.map(({ id }) => id);
      saw('packetsLost', packetsCut(network, ids));
      network.heal();
      if (ratio <= 0.05) await nobodyDies(cluster, before);
      else say(`${deathsTold(cluster) - before} times a living node was taken for dead`);
      saw('losses');
      await cluster.whole();
    }
  },
};
