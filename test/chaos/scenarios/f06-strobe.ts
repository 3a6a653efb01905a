import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { nobodyDies } from './nobody-died.ts';

const strobeMs = 30_000;

export const strobe: Scenario = {
  faults: ['F06'],
  title: 'a node runs and stands by turns of 100 ms',
  injects: 'SIGSTOP and SIGCONT of one node every 100 ms for 30 s, under load',
  holds: 'I18: nobody takes it for dead; I5, I8',
  needs: [],
  deadlineMs: 180_000,
  workload: { recordsPerSec: 400 },
  async inject({ cluster, rng, say, saw }) {
    const node = oneOf(rng, cluster.nodes);
    say(`${node.id} is strobed for ${strobeMs} ms`);
    const endMs = performance.now() + strobeMs;
    while (performance.now() < endMs) {
      await node.signal('SIGSTOP');
      await pause(100);
      await node.signal('SIGCONT');
      await pause(100);
      saw('stops');
    }
    await nobodyDies(cluster);
  },
};
