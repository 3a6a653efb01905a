import { pause, waitFor } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { changedSessions } from './sessions.ts';
import { sumOf } from './sum-of.ts';

/** 600000 is the full ten minutes. */
const outageMs = Number(process.env.HOLDFAST_CHAOS_OUTAGE_MS ?? 30_000);
/** What was answered before the outage is still on its way to the commit. */
const commitsOverMs = 4_000;

export const storeDown: Scenario = {
  faults: ['F27'],
  title: `Redis is down for ${outageMs / 1_000} s`,
  injects: 'kill -9 of Redis under load, and a start on the same files; HOLDFAST_CHAOS_OUTAGE_MS sets how long after',
  holds: 'I6, I8, I21: nothing is committed meanwhile, no session ends, the status says so, memory is bounded',
  needs: [],
  deadlineMs: 180_000 + 2 * outageMs,
  settleMs: 60_000 + outageMs,
  cluster: { settings: { session: usualSession } },
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, say, saw } = fire;
    const { redis } = KafkaAndRedis.of(fire);
    await cluster.holder();
    const before = await cluster.whole();
    say(`kill -9 of Redis for ${outageMs} ms`);
    const startMs = performance.now();
    await redis.stop();
    await pause(commitsOverMs);
    const { committed, ends } = await cluster.progress();
    const codes = new Set<string | null>();
    await waitFor('every node to say that its store is away', outageMs, async () => {
      for (const { code, node } of (await cluster.status())?.cluster.reasons ?? [])
        if (code === 'STORE_UNREACHABLE') codes.add(node);
      return codes.size === cluster.nodes.length || null;
    });
    saw('nodesThatSaySo', codes.size);
    await pause(Math.max(outageMs - (performance.now() - startMs), 0));
    const later = await cluster.progress();
    saw('recordsMeanwhile', sumOf(later.ends) - sumOf(ends));
    if (later.committed.join() !== committed.join())
      throw new Error(`I6: committed without a store: ${committed.join()}, then ${later.committed.join()}`);
    const changed = changedSessions(before, await cluster.whole());
    if (changed.length > 0) throw new Error(`sessions ended for want of the store: ${changed.join()}`);
    say('Redis starts again');
    await redis.start();
    await cluster.inStatus('no complaint of the store', ({ cluster: { reasons } }) => {
      return !reasons.some(({ code }) => code === 'STORE_UNREACHABLE' || code === 'BACKUP_FAILING');
    });
  },
};
