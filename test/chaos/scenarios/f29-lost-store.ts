import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pause, waitFor } from '../../cluster/support/wait.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Fire, Judgement, Scenario } from '../harness/scenario.ts';
import { callsOf, type History } from '../history/read-history.ts';
import { between, shuffled } from './draw.ts';

export const lostStore: Scenario = {
  faults: ['F29'],
  title: 'Redis loses everything: FLUSHALL, and a restart on an empty disk',
  injects:
    'FLUSHALL under load; kill -9 of Redis, its files removed, and a start; in any order, one of them with a holder killed',
  holds: 'I4, I5, I6, I7: each loss is another generation; holders write back, the rest is read again from the log',
  needs: [],
  deadlineMs: 240_000,
  settleMs: 120_000,
  mustSee: ['durableAppliedAgain', ['storeLives', 3]],
  storesBeginEmpty: true,
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const { redis } = KafkaAndRedis.of(fire);
    const losses: Readonly<Record<string, () => Promise<void>>> = {
      FLUSHALL: async () => void (await redis.cli('FLUSHALL')),
      'kill -9 and an empty disk': async () => {
        await redis.stop();
        rmSync(join(redis.server.dir, 'appendonlydir'), { recursive: true, force: true });
        await pause(between(rng, 0, 2_000));
        await redis.start();
      },
    };
    // Of every user something durable, which nothing but the loss takes back.
    await waitFor('commits', 60_000, async () => {
      return (await cluster.progress()).committed.every((offset) => offset > committedLeast) || null;
    });
    const names = shuffled(rng, Object.keys(losses));
    for (const [i, name] of names.entries()) {
      const holder = await cluster.holder();
      const before = await keyCount(fire);
      say(`${name}${withKeys} ${before}`);
      saw('keysLost', before);
      await losses[name]!();
      if (i === 0) {
        // What only it had in memory has to come from the log.
        say(`kill -9 ${holder.id}`);
        await holder.signal('SIGKILL');
        await pause(between(rng, 500, 3_000));
        holder.start();
      }
      await cluster.whole();
      await pause(between(rng, 4_000, 8_000));
    }
  },
  judge: (history) => durableAppliedAgain(history),
};

const committedLeast = 500;
const withKeys = ', with so many keys:';

/** Records below an offset that was committed before the first loss, and applied after it: nothing else takes them back. */
export function durableAppliedAgain(history: History): Judgement {
  const lostUs = history.events.find(({ event }) => event.k === 'fault' && event.text.includes(withKeys))?.event.t;
  const committed = new Map<number, number>();
  for (const { asked, done, endUs } of callsOf(history, 'commit')) {
    if (done === null || lostUs === undefined || endUs > lostUs) continue;
    for (const [, partition, offset] of asked.commits)
      committed.set(partition, Math.max(committed.get(partition) ?? 0, offset));
  }
  const again = history.events.filter(
    ({ event }) => event.k === 'apply' && event.t > (lostUs ?? 0) && event.o < (committed.get(event.p) ?? 0),
  );
  return { violations: [], seen: { durableAppliedAgain: again.length } };
}

async function keyCount(fire: Fire): Promise<number> {
  return Number(await KafkaAndRedis.of(fire).redis.cli('DBSIZE'));
}
