import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';

const rounds = 6;
/** Backups are 2 s apart: what the late holder applied is written before it hears that its lease has gone. */
const lateMs = 2_500;
const betweenMs = 4_000;

export const newOvertakesOld: Scenario = {
  faults: ['F54'],
  title: "a new holder overtakes the old one's stop",
  injects:
    `all that the busiest node hears of the control plane comes ${lateMs} ± 300 ms late, and the leader takes the leases ` +
    `of its users away by force; ${rounds} times`,
  holds:
    'I1, I3: under one epoch only one applies, and the late rows of the old holder meet the fence; I5, I6, I7: what it ' +
    'applied in vain is read again; it reports nothing durable before it knows of the end',
  needs: ['namespaces'],
  proxied: true,
  cluster: { settings: { session: usualSession } },
  deadlineMs: 240_000,
  // By the second the rows were fenced for a forced end: nothing else ends here.
  mustSee: ['rowsFenced', 'rowsFencedUnclean'],
  async inject({ links, cluster, workload, say, saw }) {
    // The busiest first: they come again at once, and get another holder.
    const units = workload.users.slice(0, 200).map(({ unit: { hi, lo } }) => [hi, lo] as const);
    for (let round = 0; round < rounds; round++) {
      const leader = await cluster.leader();
      const late = (await cluster.holder(10, (id) => id !== leader.id)).id;
      links.heal();
      links.set({ to: late, traffic: ['control'] }, { delayMs: lateMs, jitterMs: 300 });
      say(`${late} hears of the control plane late, and ${leader.id}, the leader, takes its users away`);
      await cluster.hook(leader.id, { kind: 'forceRelease', of: late, units });
      saw('forced');
      await pause(betweenMs);
    }
    links.heal();
    await cluster.whole();
  },
};
