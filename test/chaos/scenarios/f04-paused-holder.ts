import { pause, waitFor } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import { isStopped } from '../harness/look-at-process.ts';
import type { Scenario } from '../harness/scenario.ts';

export const pausedHolder: Scenario = {
  faults: ['F04'],
  title: 'a holder is stopped for three times its session, and continues',
  injects:
    'SIGSTOP of the node with most changes that no backup covers, as it is about to write them, for 3 TTL; then SIGCONT',
  holds: 'I1, I2, I3: its late rows, of epochs that have ended, meet the fence; it begins another session',
  needs: [],
  deadlineMs: 120_000,
  mustSee: ['sessionEnds', 'rowsFenced'],
  async inject({ cluster, say, saw }) {
    const holder = await cluster.holder();
    const sessionOf = async () => (await cluster.whole()).nodes.find(({ id }) => id === holder.id)!.session.id;
    const before = await sessionOf();
    await cluster.hook(holder.id, { kind: 'stopAtBackup' });
    await waitFor('it to stop before its next rows', 15_000, () => (isStopped(holder.pid!) ? true : null), 50);
    say(`${holder.id} stands for ${3 * sessionTtlMs} ms`);
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
