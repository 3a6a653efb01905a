import { join } from 'node:path';
import { pause } from '../../cluster/support/wait.ts';
import { CpuCage } from '../harness/cpu-cage.ts';
import type { Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { nobodyDies } from './nobody-died.ts';

export const starvedNode: Scenario = {
  faults: ['F07'],
  title: 'a node gets a tenth of a processor',
  injects: 'one node in a control group with 10 % of a processor for 20 s, under load',
  holds: 'I18: nobody takes it for dead; what it can no longer do in time others take over; I5, I8',
  needs: ['cgroup'],
  deadlineMs: 150_000,
  workload: { recordsPerSec: 400 },
  async inject({ cluster, rng, say, saw }) {
    const node = oneOf(rng, cluster.nodes);
    const cage = new CpuCage(`holdfast-chaos-${node.pid}`, join(cluster.dir, 'groups'));
    say(`${node.id} gets 10 % of a processor`);
    cage.hold(node.pid!, 0.1);
    await pause(20_000);
    cage.hold(node.pid!, null);
    saw('throttled', cage.throttled);
    say(`it had to wait ${cage.throttled} times`);
    await nobodyDies(cluster);
  },
};
