import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between, oneOf } from './draw.ts';
import { packetsHit } from './packets-hit.ts';

export const resetStreams: Scenario = {
  faults: ['F47'],
  title: 'record streams are reset before their records are acknowledged',
  injects: 'twenty times, at random moments under load, all record connections to a node are answered by a reset',
  holds: 'I5, I7: what was not settled is sent again, and counts once',
  needs: ['namespaces'],
  deadlineMs: 120_000,
  workload: { recordsPerSec: 1_600 },
  async inject({ cluster, network, rng, say, saw }) {
    for (let round = 0; round < 20; round++) {
      const { id } = oneOf(rng, cluster.nodes);
      network.reset(id);
      await pause(between(rng, 20, 300));
      saw('packetsReset', packetsHit(network, [id]));
      network.heal(id);
      await pause(between(rng, 100, 700));
    }
    say('20 resets');
    const status = await cluster.inStatus(
      'replays or duplicates',
      ({ totals }) => Number(totals.replayed) + Number(totals.duplicates) > 0,
    );
    saw('sentAgain', Number(status.totals.replayed) + Number(status.totals.duplicates));
  },
};
