import { join } from 'node:path';
import { pause, waitFor } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { nowUs } from '../history/history-file.ts';
import { type History, readHistory } from '../history/read-history.ts';
import { packetsCut } from './packets-hit.ts';

/** A ping after 5 s without a word, 3 s for its answer; the rest is for busy machines. */
const noticedWithinMs = 30_000;
const isMeant = /^closed by|session is over/;

export const halfOpen: Scenario = {
  faults: ['F45'],
  title: 'connections of which one side knows nothing any more',
  injects:
    'kill -9 of a node whose resets and ends never reach the others, and its start on the same addresses; then record streams between two nodes go silent while all else passes, until both have noticed',
  holds: 'I8: the silence is found by keepalive while it lasts; I5, I7',
  needs: ['namespaces'],
  deadlineMs: 200_000,
  async inject({ cluster, network, say, saw }) {
    const victim = await cluster.holder();
    const flags = ['-p', 'tcp', '--tcp-flags'];
    network.inside(victim.id, 'iptables', '-w', '-A', 'OUTPUT', ...flags, 'RST', 'RST', '-j', 'DROP');
    network.inside(victim.id, 'iptables', '-w', '-A', 'OUTPUT', ...flags, 'FIN', 'FIN', '-j', 'DROP');
    say(`kill -9 ${victim.id}, and nobody hears of it`);
    await victim.signal('SIGKILL');
    await pause(2_000);
    saw('endsLost', packetsCut(network, [victim.id], 'OUTPUT'));
    victim.start();
    await cluster.whole();
    network.heal();
    saw('silentDeaths');
    const { nodes } = await cluster.whole();
    const [a, b] = nodes.map(({ id, session }) => ({ id, session: Number(session.id) }));
    say(`record streams between ${a!.id} and ${b!.id} go silent`);
    const fromUs = nowUs();
    network.silenceShards(a!.id, b!.id);
    // Nothing else can tell them: their kernels would try again for a quarter of an hour, and their sessions go on.
    for (const [from, to] of [
      [a!, b!],
      [b!, a!],
    ] as const)
      await waitFor(
        `${from.id} to find its stream to ${to.id} dead`,
        noticedWithinMs,
        () => {
          const reason = endOf(readHistory(join(cluster.dir, 'history')), from.id, to.session, fromUs);
          if (reason !== null) say(`${from.id} finds its stream to ${to.id} dead: ${reason}`);
          return reason;
        },
        1_000,
      );
    network.heal();
    saw('silences');
    await cluster.whole();
  },
};

/** Why a node's first stream to that session ended since, other than by the will of either end. */
function endOf({ events, threads }: History, node: string, session: number, sinceUs: number): string | null {
  for (const { thread, event } of events) {
    if (event.k !== 'streamEnd' || event.session !== session || event.t < sinceUs) continue;
    if (threads[thread]!.startsWith(`${node}-`) && !isMeant.test(event.reason)) return event.reason;
  }
  return null;
}
