import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { sessionsStay } from './same-sessions.ts';

const slowSeconds = 20;

export const slowHolder: Scenario = {
  faults: ['F46'],
  title: 'a holder takes 50 ms for each record',
  injects: "one node's job stands for 50 ms at each record for 20 s, while ten times that comes in for it",
  holds: 'I21: its frames stay under their limit, partitions pause; its own renewals go on; I5, I8 after',
  needs: [],
  deadlineMs: 150_000,
  cluster: {
    settings: { session: usualSession, limits: { framesInFlight: 16, frameRecords: 16, parkedRecords: 2_000 } },
  },
  mustSee: ['queuesFull'],
  async inject({ cluster, say, saw }) {
    const { id } = await cluster.holder();
    const before = await cluster.whole();
    say(`each record takes 50 ms at ${id}`);
    await cluster.hook(id, { kind: 'slowRecords', ms: 50 });
    let lag = 0;
    for (let second = 0; second < slowSeconds; second++) {
      await pause(1_000);
      // Null while the lag of any partition is unknown: with a slow shard it is now and then.
      lag = Math.max(lag, Number((await cluster.status())?.ingest.lagRecords ?? 0));
    }
    saw('lagRecords', lag);
    await sessionsStay(cluster, before, [id]);
    await cluster.hook(id, { kind: 'slowRecords', ms: 0 });
    say(`${id} is quick again; ${lag} records wait`);
  },
};
