import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs, usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { sameSessions } from './same-sessions.ts';

export const pausedLeader: Scenario = {
  faults: ['F05'],
  title: 'the leader is stopped for longer than an election, and continues',
  injects: 'SIGSTOP of the leader for 1/2 TTL, twice: others elect; it comes back late to all that it was to do',
  holds: 'I11; no session but its own may end: nobody is expired for the silence that was its own',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 120_000,
  async inject({ cluster, say, saw }) {
    for (let round = 0; round < 2; round++) {
      const before = await cluster.whole();
      const leader = await cluster.leader();
      say(`SIGSTOP ${leader.id}, the leader, for ${sessionTtlMs / 2} ms`);
      await leader.signal('SIGSTOP');
      const others = cluster.others(leader.id).map(({ id }) => id);
      await pause(sessionTtlMs / 2);
      const led = await cluster.inStatus(
        'another leader',
        (status) => others.includes(status.cluster.leader ?? ''),
        10_000,
        others,
      );
      saw('elections');
      await leader.signal('SIGCONT');
      say(`SIGCONT ${leader.id}; ${led.cluster.leader} leads`);
      const after = await cluster.whole();
      sameSessions(before, after, others);
    }
  },
};
