import { pause, waitFor } from '../../cluster/support/wait.ts';
import { sessionTtlMs, usualSession } from '../harness/chaos-cluster.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import { isStopped } from '../harness/look-at-process.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between } from './draw.ts';
import { changedSessions } from './sessions.ts';

/** Longer than a usual session, of 12 s, that isn't renewed. */
const frozenMs = 3 * sessionTtlMs;
const slowMs = 15_000;

export const slowStore: Scenario = {
  faults: ['F28'],
  title: 'Redis freezes, and then is slow',
  injects: `SIGSTOP of Redis for ${frozenMs} ms, then stop and go for ${slowMs} ms, under load`,
  holds: 'I6, I21: renewals go on, so that no session ends; queues stay bounded; all is applied afterwards',
  needs: [],
  deadlineMs: 180_000,
  cluster: { settings: { session: usualSession } },
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const { server } = KafkaAndRedis.of(fire).redis;
    await cluster.holder();
    const before = await cluster.whole();
    try {
      say(`SIGSTOP of Redis for ${frozenMs} ms`);
      server.signal('SIGSTOP');
      await waitFor('Redis to stand', 5_000, () => isStopped(server.pid!) || null, 20);
      await pause(frozenMs);
      server.signal('SIGCONT');
      saw('frozenMs', frozenMs);
      await pause(5_000);
      say(`slow for ${slowMs} ms`);
      for (const endMs = performance.now() + slowMs; performance.now() < endMs; ) {
        server.signal('SIGSTOP');
        await pause(between(rng, 300, 1_500));
        server.signal('SIGCONT');
        await pause(between(rng, 5, 100));
        saw('stops');
      }
    } finally {
      server.signal('SIGCONT');
    }
    const changed = changedSessions(before, await cluster.whole());
    if (changed.length > 0) throw new Error(`sessions ended for want of the store: ${changed.join()}`);
  },
};
