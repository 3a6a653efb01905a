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
async function drainInTurn(fire: Fire, between: () => Promise<void> = async () => {}): Promise<void> {
  const { cluster, rng, say, saw } = fire;
  for (const { id } of shuffled(rng, cluster.nodes)) {
    say(`drain of ${id}`);
    await command(fire, 'node', 'drain', id, '--wait', '60s');
    await between();
    await command(fire, 'node', 'resume', id);
    saw('drains');
    await pause(500);
  }
}

async function sawRefused({ cluster, saw }: Fire): Promise<void> {
  const status = await cluster.whole();
  saw('refused', Number(status.totals.refused));
}

export const recordAtOldHolder: Scenario = {
  faults: ['F53'],
  title: 'records reach the old holder while their user moves',
  injects: 'each node is drained and taken back in turn, at three times the rate; records on their way are refused',
  holds: 'I5, I7: what comes back goes to the new holder, in order, once',
  needs: [],
  deadlineMs: 150_000,
  mustSee: ['cleanEnds'],
  async inject(fire) {
    fire.workload.rateFactor = 3;
    await drainInTurn(fire);
    fire.workload.rateFactor = 1;
    await sawRefused(fire);
  },
};

export const newOvertakesOld: Scenario = {
  faults: ['F54'],
  title: "a new holder overtakes the old one's stop",
  injects: 'drains in turn, while all that one node hears of the control plane comes 400 ± 300 ms late',
  holds: 'I1: under one epoch only one applies; what the late one still gets goes back; I5, I7',
  needs: ['namespaces'],
  proxied: true,
  deadlineMs: 180_000,
  mustSee: ['cleanEnds'],
  async inject(fire) {
    const { links, cluster, say } = fire;
    const late = cluster.others((await cluster.leader()).id)[0]!.id;
    say(`${late} hears of the control plane late`);
    links.set({ to: late, traffic: ['control'] }, { delayMs: 400, jitterMs: 300 });
    await drainInTurn(fire);
    links.heal();
    await sawRefused(fire);
  },
};
