import { pause, waitFor } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { diePoints } from '../history/hooks.ts';
import { diedByHook } from './died-by-hook.ts';
import { shuffled } from './draw.ts';

export const leaderDiesInAGrant: Scenario = {
  faults: ['F02'],
  title: 'the leader dies in the middle of a grant',
  injects: 'the leader kills itself with -9 before it has saved a grant, after that, before and after it sends it',
  holds: 'I1, I11, I14, I15, I17: the grant is made or not, the same for all; its users are held again',
  needs: [],
  deadlineMs: 150_000,
  nodesEnd: true,
  // Users come again and again, so that there is something to grant.
  workload: { users: 1_200, zipfExponent: 0.4 },
  async inject({ cluster, workload, rng, say, saw }) {
    for (const point of shuffled(rng, diePoints)) {
      const leader = await cluster.leader();
      say(`${leader.id} dies ${point}`);
      await cluster.hook(leader.id, { kind: 'dieAt', point, record: 'granted' });
      const dead = () => (leader.running ? null : true);
      // Most users are held by now: the death of another node that holds some has them granted anew.
      const died = await waitFor('its death', 2_000, dead).catch(() => null);
      if (died === null) {
        const other = await cluster.holder(20, (id) => id !== leader.id);
        await other.signal('SIGKILL');
        other.start();
        await waitFor(`the death of ${leader.id}`, 30_000, dead);
      }
      diedByHook(leader);
      saw('leadersDied');
      await workload.burst(200);
      leader.start();
      await cluster.whole();
      await pause(500);
    }
  },
};
