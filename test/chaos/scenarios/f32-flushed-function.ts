import { pause } from '../../cluster/support/wait.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between } from './draw.ts';

const overMs = 20_000;

export const flushedFunction: Scenario = {
  faults: ['F32'],
  title: 'functions and scripts of Redis are flushed',
  injects: 'FUNCTION FLUSH and SCRIPT FLUSH every 0.1 to 1 s, under load, and a holder is killed meanwhile',
  holds: 'I2, I3: the function is loaded again; nothing is ever written without it',
  needs: [],
  deadlineMs: 150_000,
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const { redis } = KafkaAndRedis.of(fire);
    say(`flushes for ${overMs} ms`);
    let isKilled = false;
    const startMs = performance.now();
    while (performance.now() - startMs < overMs) {
      await redis.cli('FUNCTION', 'FLUSH');
      await redis.cli('SCRIPT', 'FLUSH');
      saw('flushes');
      await pause(between(rng, 100, 1_000));
      if (isKilled || performance.now() - startMs < overMs / 2) continue;
      isKilled = true;
      const holder = await cluster.holder();
      say(`kill -9 ${holder.id}`);
      await holder.signal('SIGKILL');
      holder.start();
    }
    const loads = cluster.nodes.flatMap(
      ({ output }) => output.match(/function was missing and is loaded again/g) ?? [],
    );
    saw('loadedAgain', loads.length);
    await cluster.whole();
  },
};
