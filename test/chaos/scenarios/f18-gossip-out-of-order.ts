import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { nobodyDies } from './nobody-died.ts';
import { trueViews } from './true-views.ts';

export const gossipOutOfOrder: Scenario = {
  faults: ['F18'],
  title: 'gossip comes twice and out of order, half of it',
  injects: 'half of all datagrams come twice, half are overtaken, for 20 s; meanwhile a node leaves and comes back',
  holds: 'I18, I20: nobody is taken for dead, and every node sees all alive while it lasts',
  needs: ['namespaces'],
  proxied: true,
  deadlineMs: 180_000,
  async inject({ cluster, links, rng, say, saw }) {
    say('half of all gossip doubled, half overtaken');
    links.set({ traffic: ['gossip'] }, { duplicateRatio: 0.5, reorderRatio: 0.5, delayMs: 5, jitterMs: 5 });
    await pause(8_000);
    const node = oneOf(rng, cluster.nodes);
    say(`SIGTERM ${node.id}, and its start`);
    const code = await node.signal('SIGTERM');
    if (code !== 0) throw new Error(`${node.id} ended its drain with code ${code}`);
    node.start();
    await cluster.whole();
    await pause(8_000);
    await nobodyDies(cluster);
    await trueViews(cluster, 15_000);
    saw('trueViews');
    const { doubled, overtaken } = links.datagrams;
    saw('doubled', doubled);
    saw('overtaken', overtaken);
    links.heal();
  },
};
