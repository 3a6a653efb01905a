import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between, shuffled } from './draw.ts';

export const twoRestart: Scenario = {
  faults: ['F03'],
  title: 'all are killed, two come back',
  injects: 'kill -9 of all three at once, under load; two start again, the third long after',
  holds: 'I6, I11, I14, I15, I17: what was durable is there, what was not is read again; two of three go on alone',
  needs: [],
  deadlineMs: 120_000,
  async inject({ cluster, rng, say, saw }) {
    for (let round = 0; round < 2; round++) {
      await cluster.holder();
      say('kill -9 of all');
      await Promise.all(cluster.nodes.map((node) => node.signal('SIGKILL')));
      await pause(between(rng, 0, 2_000));
      const [late, ...two] = shuffled(rng, cluster.nodes);
      say(`${two.map(({ id }) => id).join()} start again`);
      for (const node of two) node.start();
      const before = Number((await cluster.whole()).totals.applied);
      await cluster.inStatus('records to be applied by two', ({ totals }) => Number(totals.applied) > before + 500);
      saw('appliedByTwo');
      say(`${late!.id} starts again`);
      late!.start();
      await cluster.whole();
    }
  },
};
