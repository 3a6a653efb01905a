import { holdfast } from '../../cluster/support/holdfast.ts';
import type { NodeProcess } from '../../cluster/support/node-process.ts';
import { waitFor } from '../../cluster/support/wait.ts';
import type { ChaosCluster } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { diePoints } from '../history/hooks.ts';
import { diedByHook } from './died-by-hook.ts';
import { shuffled } from './draw.ts';

/**
 * The leader, and another node that has something to hand over. Who was drained before gets users back only in a while:
 * where all are with the leader, its death spreads them.
 */
async function someToDrain(cluster: ChaosCluster): Promise<{ readonly leader: NodeProcess; readonly id: string }> {
  for (;;) {
    const leader = await cluster.leader();
    const other = await cluster.holder(20, (id) => id !== leader.id, 5_000).catch(() => null);
    if (other !== null) return { leader, id: other.id };
    await leader.signal('SIGKILL');
    leader.start();
    await cluster.whole();
  }
}

export const leaderDiesBetween: Scenario = {
  faults: ['F55'],
  title: 'the leader dies between the end of one lease and the next',
  injects:
    'a node is drained, and the leader kills itself with -9 around the first entry that moves its users; four times',
  holds: 'I8: the move is done or undone, and the drain ends under the next leader',
  needs: [],
  deadlineMs: 200_000,
  nodesEnd: true,
  async inject({ cluster, rng, say, saw }) {
    for (const point of shuffled(rng, diePoints)) {
      const { leader, id } = await someToDrain(cluster);
      await cluster.hook(leader.id, { kind: 'dieAt', point, record: 'moved' });
      say(`drain of ${id}; ${leader.id}, the leader, dies ${point} of a move`);
      const addr = cluster.peers
        .filter((peer) => peer.id !== leader.id)
        .map(({ address }) => address)
        .join();
      const drained = holdfast(['node', 'drain', id, '--wait', '60s', '--addr', addr]);
      await waitFor(`the death of ${leader.id}`, 30_000, () => (leader.running ? null : true));
      diedByHook(leader);
      saw('leadersDied');
      leader.start();
      const { code, stderr } = await drained;
      // Nobody answers while there is no leader: the operator asks again.
      if (code !== 0) {
        say(`the drain ended with ${code} (${stderr.trim().split('\n')[0]}), and is asked for again`);
        await cluster.whole();
        const again = await holdfast(['node', 'drain', id, '--wait', '60s', '--addr', addr]);
        if (again.code !== 0) throw new Error(`the second drain of ${id} ended with ${again.code}: ${again.stderr}`);
      }
      await cluster.whole();
      await waitFor(`${id} to be taken back`, 60_000, async () => {
        return (await holdfast(['node', 'resume', id, '--addr', addr])).code === 0 || null;
      });
    }
  },
};
