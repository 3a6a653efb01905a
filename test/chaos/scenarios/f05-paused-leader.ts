import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { sessionsStay } from './same-sessions.ts';

/** Elections take 1 to 2 s. */
const stoppedMs = 3_000;

export const pausedLeader: Scenario = {
  faults: ['F05'],
  title: 'the leader is stopped for longer than an election, and continues',
  injects: 'SIGSTOP of the leader for 3 s, twice: others elect; it comes back late to all that it was to do',
  holds: 'I11; no session but its own may end: nobody is expired for the silence that was its own',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 180_000,
  async inject({ cluster, say, saw }) {
    for (let round = 0; round < 2; round++) {
      const before = await cluster.whole();
      const leader = await cluster.leader();
      say(`SIGSTOP ${leader.id}, the leader, for ${stoppedMs} ms`);
      await leader.signal('SIGSTOP');
      const others = cluster.others(leader.id).map(({ id }) => id);
      await pause(stoppedMs);
      const led = await cluster.inStatus(
        'another leader',
        (status) => others.includes(status.cluster.leader ?? ''),
        10_000,
        others,
      );
      saw('elections');
      await leader.signal('SIGCONT');
      say(`SIGCONT ${leader.id}; ${led.cluster.leader} leads`);
      await sessionsStay(cluster, before, others);
    }
  },
};
