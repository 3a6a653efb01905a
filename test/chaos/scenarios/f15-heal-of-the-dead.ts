import { pause, waitFor } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { packetsCut } from './packets-hit.ts';
import { stateBy, trueViews } from './true-views.ts';

export const healOfTheDead: Scenario = {
  faults: ['F15'],
  title: 'a cut heals when each side has long taken the other for dead',
  injects: 'one node is cut off until it is dead to the others, and they to it, and then for 10 s more',
  holds: 'I20: within 15 s every node sees all alive; I8',
  needs: ['namespaces'],
  deadlineMs: 120_000,
  async inject({ cluster, network, rng, say, saw }) {
    const ids = cluster.nodes.map(({ id }) => id);
    const cutOff = oneOf(rng, ids);
    say(`${cutOff} is cut off`);
    network.isolate(cutOff);
    for (const id of ids) {
      if (id === cutOff) continue;
      for (const [by, of] of [
        [id, cutOff],
        [cutOff, id],
      ] as const)
        await waitFor(`${of} to be dead to ${by}`, 30_000, async () =>
          (await stateBy(cluster, by, of)) === 'dead' ? true : null,
        );
      saw('deaths');
    }
    await pause(10_000);
    saw('packetsCut', packetsCut(network, [cutOff]));
    network.heal();
    say('healed: all have to see all');
    await trueViews(cluster, 15_000);
    saw('trueViews');
  },
};
