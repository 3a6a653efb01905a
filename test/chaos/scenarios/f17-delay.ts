import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { deathsTold, nobodyDies } from './nobody-died.ts';
import { connectionsTurned } from './packets-hit.ts';

const eachMs = 10_000;

export const delay: Scenario = {
  faults: ['F17'],
  title: 'slow links: 75 ± 50 ms, 500 ms, and clogs of 3 s',
  injects:
    'all that nodes say to each other is late, by 75 ± 50 ms, then by 500 ms; then nothing passes for 3 s, twice',
  holds: 'I5, I7; I18 with the first: nobody who lives is taken for dead',
  needs: ['namespaces'],
  proxied: true,
  deadlineMs: 150_000,
  async inject({ cluster, network, links, say, saw }) {
    const ids = cluster.nodes.map(({ id }) => id);
    saw('connectionsTurned', connectionsTurned(network, ids));
    const passed = links.datagrams.passed;
    say('75 ± 50 ms');
    links.set({}, { delayMs: 75, jitterMs: 50 });
    await pause(eachMs);
    await nobodyDies(cluster);
    const before = deathsTold(cluster);
    say('500 ms');
    links.set({}, { delayMs: 500, jitterMs: 0 });
    await pause(eachMs);
    saw('datagramsLate', links.datagrams.passed - passed);
    links.heal();
    await cluster.whole();
    for (let clog = 0; clog < 2; clog++) {
      say('nothing passes for 3 s');
      links.set({}, { isClogged: true });
      await pause(3_000);
      links.heal();
      saw('clogs');
      await cluster.whole();
    }
    say(`${deathsTold(cluster) - before} times a living node was taken for dead`);
  },
};
