import type { StatusDocument } from '@holdfast/node';
import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between, oneOf, shuffled } from './draw.ts';
import { nobodyDied } from './nobody-died.ts';
import { sessionsStay } from './same-sessions.ts';

const minutesMs = 5 * 60_000;

export const wallClock: Scenario = {
  faults: ['F09', 'F10'],
  title: 'wall clocks jump',
  injects:
    'one clock 5 min ahead, another 5 min behind; then all jump every 200 ms, by 4 ms to 262 s either way, for 15 s',
  holds: 'I1, I4: no session ends and no lease moves for it',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 180_000,
  async inject({ cluster, rng, say, saw }) {
    const before = await cluster.whole();
    const [ahead, behind] = shuffled(rng, cluster.nodes);
    say(`${ahead!.id} is 5 min ahead, ${behind!.id} 5 min behind`);
    await cluster.hook(ahead!.id, { kind: 'shiftClock', ms: minutesMs });
    await cluster.hook(behind!.id, { kind: 'shiftClock', ms: -minutesMs });
    for (const [node, ms] of [
      [ahead!, minutesMs],
      [behind!, -minutesMs],
    ] as const) {
      const off = (status: StatusDocument): number => Date.parse(status.at) - Date.now();
      await cluster.inStatus(
        `${node.id} to have another time`,
        (status) => status.via === node.id && Math.abs(off(status) - ms) < minutesMs / 2,
        20_000,
        [node.id],
      );
      saw('clocksOff');
    }
    await pause(10_000);
    say('clocks are strobed');
    const endMs = performance.now() + 15_000;
    while (performance.now() < endMs) {
      const ms = 2 ** between(rng, 2, 18) * (between(rng, 0, 1) === 0 ? -1 : 1);
      await cluster.hook(oneOf(rng, cluster.nodes).id, { kind: 'shiftClock', ms });
      saw('jumps');
      await pause(200);
    }
    for (const { id } of cluster.nodes) {
      await cluster.hook(id, { kind: 'shiftClock', ms: 0 });
      await pause(50);
    }
    await sessionsStay(cluster, before);
    nobodyDied(cluster);
  },
};
