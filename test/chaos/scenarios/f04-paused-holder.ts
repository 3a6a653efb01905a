import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';

export const pausedHolder: Scenario = {
  faults: ['F04'],
  title: 'a holder is stopped for three times its session, and continues',
  injects: 'SIGSTOP of the node with most changes that no backup covers for 3 TTL, then SIGCONT, under load',
  holds: 'I1, I2, I3: no row of an epoch that has ended is accepted; it begins another session',
  needs: [],
  deadlineMs: 120_000,
  mustSee: ['sessionEnds'],
  async inject({ cluster, say, saw }) {
    const holder = await cluster.holder();
    const sessionOf = async () => (await cluster.whole()).nodes.find(({ id }) => id === holder.id)!.session.id;
    const before = await sessionOf();
    say(`SIGSTOP ${holder.id} for ${3 * sessionTtlMs} ms`);
    await holder.signal('SIGSTOP');
    await pause(3 * sessionTtlMs);
    say(`SIGCONT ${holder.id}`);
    await holder.signal('SIGCONT');
    await cluster.inStatus(`another session of ${holder.id}`, ({ nodes }) => {
      const { id } = nodes.find((row) => row.id === holder.id)!.session;
      return id !== null && id !== before;
    });
    saw('sessionsLost');
  },
};
