import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { shuffled } from './draw.ts';

export const killedHolder: Scenario = {
  faults: ['F01'],
  title: 'a holder is killed in the middle of a batch',
  injects:
    'kill -9 of the node with most changes that no backup covers, three times; it is back after 0, 1/2 and 2 TTL',
  holds: 'I1, I5, I6, I7, I8: what was not durable is read again and counts once',
  needs: [],
  deadlineMs: 150_000,
  async inject({ cluster, rng, say, saw }) {
    for (const backAfterMs of shuffled(rng, [0, sessionTtlMs / 2, 2 * sessionTtlMs])) {
      const holder = await cluster.holder();
      say(`kill -9 ${holder.id}, back after ${backAfterMs} ms`);
      await holder.signal('SIGKILL');
      await pause(backAfterMs);
      holder.start();
      await cluster.whole();
      await pause(1_000);
    }
    const status = await cluster.inStatus('records read again', ({ totals }) => Number(totals.replayed) > 0);
    saw('replayedRecords', Number(status.totals.replayed));
  },
};
