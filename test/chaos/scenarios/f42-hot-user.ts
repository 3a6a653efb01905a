import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';

export const hotUser: Scenario = {
  faults: ['F42'],
  title: 'one user has 90 % of the traffic',
  injects: 'nine of ten records are of one user, at four times the rate for 15 s; its holder is killed meanwhile',
  holds: 'I7, I21: its records count in order and once; the others are held and served all the while',
  needs: [],
  deadlineMs: 120_000,
  workload: { hotRatio: 0.9 },
  async inject({ cluster, workload, say, saw }) {
    workload.rateFactor = 4;
    say('four times the rate');
    await pause(6_000);
    const status = await cluster.whole();
    const hot = status.nodes
      .flatMap(({ shards }) => shards.flatMap((shard) => shard.hot))
      .sort((a, b) => b.share - a.share)[0];
    saw('hotSharePercent', Math.round((hot?.share ?? 0) * 100));
    const holder = status.nodes.find(({ shards }) =>
      shards.some((shard) => shard.hot.some(({ unit }) => unit === hot?.unit)),
    )!;
    const node = cluster.node(holder.id);
    say(`kill -9 ${node.id}, its holder`);
    await node.signal('SIGKILL');
    node.start();
    await cluster.whole();
    await pause(6_000);
    workload.rateFactor = 1;
  },
};
