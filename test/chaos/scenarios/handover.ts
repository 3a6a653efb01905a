import { rmSync } from 'node:fs';
import { percentile } from '@holdfast/testkit';
import { AdminClient } from '@holdfast/transport-grpc';
import { holdfast } from '../../cluster/support/holdfast.ts';
import { pause, waitFor } from '../../cluster/support/wait.ts';
import type { Fire, Judgement, Scenario } from '../harness/scenario.ts';
import { callsOf, type History } from '../history/read-history.ts';
import { between, oneOf, shuffled } from './draw.ts';

const founders = ['n1', 'n2', 'n3'];
const comers = ['n4', 'n5'];
const rounds = 2;
const movedByHand = 10;

/** No fault: what operators do all day, as fast as they can. */
export const handover: Scenario = {
  faults: ['HANDOVER'],
  title: 'nodes join, are removed, drained and restarted every few seconds at full load',
  injects:
    'at four times the rate, one act after the other, 1 to 3 s between them: two nodes join and are removed again, each ' +
    'founder is drained and taken back, and restarted by SIGTERM, ten users are moved by hand; all of it twice',
  holds: 'I1, I5, I6, I7: none lost, none doubled, none out of order; it tells how long users waited (pauseP99Ms)',
  needs: [],
  cluster: { nodes: 5, joiners: 2, partitions: 6 },
  // Below a thousand a newcomer gets none: so few aren't worth a move.
  workload: { users: 4_000, zipfExponent: 0.6 },
  deadlineMs: 600_000,
  // Whoever is removed is stopped by the cluster.
  nodesEnd: true,
  mustSee: ['cleanEnds', 'moves', 'pauseP99Ms'],
  async inject(fire) {
    const { rng, workload } = fire;
    workload.rateFactor = 4;
    for (let round = 0; round < rounds; round++) {
      const acts = [
        ...comers.map((id) => async () => {
          await join(fire, id);
          await pause(between(rng, 1_000, 3_000));
          await remove(fire, id);
        }),
        ...founders.flatMap((id) => [() => drain(fire, id), () => restart(fire, id)]),
        () => moveUsers(fire),
      ];
      for (const act of shuffled(rng, acts)) {
        await act();
        await pause(between(rng, 1_000, 3_000));
      }
    }
    workload.rateFactor = 1;
    for (const id of comers) await join(fire, id);
  },
  judge: (history) => waits(history),
};

async function join({ cluster, say, saw }: Fire, id: string): Promise<void> {
  say(`${id} joins`);
  cluster.node(id).start();
  await cluster.inStatus(`${id} to hold users`, ({ nodes }) =>
    nodes.some((node) => node.id === id && (node.leases.count ?? 0) > 0),
  );
  saw('joined');
}

async function remove({ cluster, say, saw }: Fire, id: string): Promise<void> {
  say(`${id} is removed`);
  const { address } = cluster.peers[0]!;
  const { code, stderr } = await holdfast(['node', 'rm', id, '--wait', '60s', '--addr', address]);
  if (code !== 0) throw new Error(`${id} can't be removed: ${stderr}`);
  const node = cluster.node(id);
  await waitFor(`${id} to end`, 30_000, () => (node.running ? null : true));
  if (node.exitCode !== 0) throw new Error(`${id} ended with code ${node.exitCode} when it was removed`);
  // Whoever comes under that name again is another member.
  rmSync(cluster.folderOf(id), { recursive: true });
  saw('removed');
}

async function drain({ cluster, say, saw }: Fire, id: string): Promise<void> {
  say(`${id} drains`);
  const address = cluster.peers.find((peer) => peer.id !== id)!.address;
  for (const act of ['drain', 'resume']) {
    const { code, stderr } = await holdfast(['node', act, id, '--addr', address]);
    if (code !== 0) throw new Error(`${id} can't ${act}: ${stderr}`);
  }
  saw('drained');
}

async function restart({ cluster, say, saw }: Fire, id: string): Promise<void> {
  say(`${id} restarts`);
  const node = cluster.node(id);
  const code = await node.signal('SIGTERM');
  if (code !== 0) throw new Error(`${id} ended its drain with code ${code}`);
  node.start();
  await cluster.whole();
  saw('restarted');
}

/** Some users; one who is not held just then, or there already, is refused. */
async function moveUsers({ cluster, workload, rng, say, saw }: Fire): Promise<void> {
  say(`${movedByHand} users are moved`);
  const client = new AdminClient(cluster.peers[0]!.address);
  try {
    for (let i = 0; i < movedByHand; i++) {
      const node = oneOf(rng, founders);
      const unit = oneOf(rng, workload.users).unitKey;
      const { document } = await client.act({ kind: 'moveUnit', unit, node, shard: null });
      const { code, from } = document as { code: string; from: { node: string } | null };
      if (code !== 'OK' && code !== 'REFUSED') throw new Error(`${unit} can't be moved to ${node}: ${code}`);
      saw('movedByHand', code === 'OK' && from?.node !== node ? 1 : 0);
    }
  } finally {
    client.close();
  }
}

/** For each user the longest time that one of its records waited, in the log, to be applied first. */
function waits(history: History): Judgement {
  const inLogUs = new Map<string, number>();
  for (const { asked, done } of callsOf(history, 'produce'))
    if (done !== null)
      asked.records.forEach((_, i) => void inLogUs.set(`${asked.partition}/${done.first + i}`, done.t));
  const longestMs = new Map<string, number>();
  for (const { event } of history.events) {
    if (event.k !== 'apply') continue;
    const position = `${event.p}/${event.o}`;
    const sinceUs = inLogUs.get(position);
    if (sinceUs === undefined) continue;
    inLogUs.delete(position);
    longestMs.set(event.u, Math.max(longestMs.get(event.u) ?? 0, (event.t - sinceUs) / 1_000));
  }
  const sorted = [...longestMs.values()].sort((a, b) => a - b);
  const at = (ratio: number): number => Math.round(percentile(sorted, ratio));
  return { violations: [], seen: { pauseP50Ms: at(0.5), pauseP99Ms: at(0.99), pauseMostMs: at(1) } };
}
