import { randomBelow } from '@holdfast/model';
import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { deathsTold, nobodyDies } from './nobody-died.ts';
import { packetsCut } from './packets-hit.ts';
import { sessionsOf } from './sessions.ts';

const cutMs = sessionTtlMs + 3_000;

export const oneWayCut: Scenario = {
  faults: ['F12'],
  title: 'a link that carries one way only',
  injects:
    "all that one node sends to the others is dropped, then all that the others send to it; then one link's one way",
  holds:
    'I1, I11: nobody is elected beside a leader, no row of an ended epoch counts; all is well again after; I18: over one link nobody is taken for dead',
  needs: ['namespaces'],
  deadlineMs: 180_000,
  async inject({ cluster, network, rng, say, saw }) {
    const ids = cluster.nodes.map(({ id }) => id);
    for (const way of ['from', 'to', 'link'] as const) {
      const id = oneOf(rng, ids);
      const others = ids.filter((other) => other !== id);
      const hit = way === 'link' ? [others[randomBelow(rng, others.length)]!] : others;
      say(
        `nothing passes ${way === 'from' ? `from ${id} to ${hit.join()}` : `from ${hit.join()} to ${id}`} for ${cutMs} ms`,
      );
      const before = await cluster.whole();
      const deaths = deathsTold(cluster);
      for (const other of hit) {
        if (way === 'from') network.cutOneWay(id, other);
        else network.cutOneWay(other, id);
      }
      await pause(cutMs);
      // The third node reaches both, so each hears of the other through it, however long.
      if (way === 'link') await nobodyDies(cluster, deaths);
      saw('packetsCut', packetsCut(network, ids));
      network.heal();
      saw('cuts');
      // Whoever isn't heard, or hears nothing, can't have renewed.
      if (way !== 'link') {
        await cluster.inStatus(`another session of ${id}`, (now) => {
          const { session } = now.nodes.find((row) => row.id === id)!;
          return session.id !== null && session.id !== sessionsOf(before).get(id);
        });
        saw('sessionsLost');
      }
      await cluster.whole();
      await pause(1_000);
    }
  },
};
