import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between } from './draw.ts';

const kills = 20;

export const eachLeaderDies: Scenario = {
  faults: ['F48'],
  title: 'each new leader is killed, twenty times',
  injects: 'kill -9 of whoever leads, as soon as it does or a moment later; it is started again at once',
  holds: 'I11, I14, I15, I17, I8',
  needs: [],
  deadlineMs: 240_000,
  // By what only leaders send: one more term for each.
  mustSee: [['leaders', kills + 1]],
  workload: { recordsPerSec: 300 },
  async inject({ cluster, rng, say, saw }) {
    for (let kill = 1; kill <= kills; kill++) {
      const leader = await cluster.leader();
      await pause(between(rng, 0, 1_500));
      say(`kill -9 ${leader.id}, leader ${kill}`);
      await leader.signal('SIGKILL');
      leader.start();
      const others = cluster.others(leader.id).map(({ id }) => id);
      await cluster.inStatus(
        'another leader',
        ({ cluster }) => cluster.leader !== null && cluster.leader !== leader.id,
        30_000,
        others,
      );
      saw('leadersKilled');
    }
  },
};
