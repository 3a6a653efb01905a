import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';

export const poison: Scenario = {
  faults: ['F38'],
  title: 'every other record is poison',
  injects:
    'half of all records are broken for the ingest, broken for the holder, or make the job throw after it has changed the state; a node is killed meanwhile',
  holds: 'each becomes a dead letter before anything vouches for it, no state keeps a trace of it; I8',
  needs: [],
  deadlineMs: 120_000,
  workload: { kinds: { '-': 3, '?': 6, x: 6, t: 6, s: 2, e: 4 } },
  mustSee: [['deadLetters', 1_000]],
  async inject({ cluster, say, saw }) {
    await pause(6_000);
    const node = await cluster.holder();
    say(`kill -9 ${node.id}`);
    await node.signal('SIGKILL');
    node.start();
    await cluster.whole();
    await pause(4_000);
    saw('dead', Number((await cluster.whole()).totals.dead));
  },
};
