import { holdfast } from '../../cluster/support/holdfast.ts';
import { pause } from '../../cluster/support/wait.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { shuffled } from './draw.ts';

async function command({ cluster }: Fire, ...args: readonly string[]): Promise<void> {
  const addr = cluster.nodes.flatMap((node, i) => (node.running ? [cluster.peers[i]!.address] : [])).join();
  const { code, stderr } = await holdfast([...args, '--addr', addr]);
  if (code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/** Drains each node in turn, and takes it back: all users move twice while records come in for them. */
async function drainInTurn(fire: Fire): Promise<void> {
  const { cluster, rng, say, saw } = fire;
  for (const { id } of shuffled(rng, cluster.nodes)) {
    say(`drain of ${id}`);
    await command(fire, 'node', 'drain', id, '--wait', '60s');
    await command(fire, 'node', 'resume', id);
    saw('drains');
    await pause(500);
  }
}

export const recordAtOldHolder: Scenario = {
  faults: ['F53'],
  title: 'records reach the old holder while their user moves',
  injects: 'each node is drained and taken back in turn, at three times the rate; records on their way are refused',
  holds: 'I5, I7: what comes back goes to the new holder, in order, once',
  needs: [],
  deadlineMs: 150_000,
  mustSee: ['cleanEnds', 'moves'],
  async inject(fire) {
    fire.workload.rateFactor = 3;
    await drainInTurn(fire);
    fire.workload.rateFactor = 1;
    const status = await fire.cluster.whole();
    fire.saw('refused', Number(status.totals.refused));
  },
};
