import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';

export const halfOpen: Scenario = {
  faults: ['F45'],
  title: 'connections of which one side knows nothing any more',
  injects:
    'kill -9 of a node whose resets and ends never reach the others, and its start on the same addresses; then record streams between two nodes go silent while all else passes',
  holds: 'I8: found by keepalive; I5, I7',
  needs: ['namespaces'],
  deadlineMs: 150_000,
  async inject({ cluster, network, say, saw }) {
    const victim = await cluster.holder();
    const flags = ['-p', 'tcp', '--tcp-flags'];
    network.inside(victim.id, 'iptables', '-w', '-A', 'OUTPUT', ...flags, 'RST', 'RST', '-j', 'DROP');
    network.inside(victim.id, 'iptables', '-w', '-A', 'OUTPUT', ...flags, 'FIN', 'FIN', '-j', 'DROP');
    say(`kill -9 ${victim.id}, and nobody hears of it`);
    await victim.signal('SIGKILL');
    await pause(2_000);
    victim.start();
    await cluster.whole();
    network.heal();
    saw('silentDeaths');
    const [a, b] = cluster.nodes.map(({ id }) => id);
    say(`record streams between ${a} and ${b} go silent`);
    network.silenceShards(a!, b!);
    await pause(12_000);
    network.heal();
    saw('silences');
    await cluster.whole();
  },
};
