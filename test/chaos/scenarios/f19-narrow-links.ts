import { pause } from '../../cluster/support/wait.ts';
import type { Judgement, Scenario } from '../harness/scenario.ts';
import type { History } from '../history/read-history.ts';
import { oneOf } from './draw.ts';
import { deathsTold, nobodyDies } from './nobody-died.ts';
import { largerSent } from './packets-hit.ts';

/** Frames of one stream, a quarter of the usual. */
const framesInFlight = 16;
const mtuBytes = 600;

export const narrowLink: Scenario = {
  faults: ['F19'],
  title: 'a link of 1 Mbit/s',
  injects:
    'one node sends at 1 Mbit/s at most for 20 s, at three times the rate, of records of 500 bytes: its frames pile up',
  holds: 'I21: full queues stay under their limits; I5, I8',
  needs: ['namespaces'],
  deadlineMs: 150_000,
  settleMs: 90_000,
  workload: { padding: (draw) => draw % 1_000 },
  cluster: { settings: { limits: { framesInFlight } } },
  mustSee: [
    ['framesMost', framesInFlight + 1],
    ['packetsRefused', 1],
  ],
  async inject({ cluster, network, workload, rng, say, saw }) {
    const { id } = oneOf(rng, cluster.nodes);
    say(`${id} sends at 1 Mbit/s`);
    network.limitRate(id, '1mbit');
    workload.rateFactor = 3;
    await pause(20_000);
    workload.rateFactor = 1;
    saw('packetsRefused', network.packetsRefused(id));
    network.heal();
    say(`${deathsTold(cluster)} times a living node was taken for dead`);
  },
  judge: (history) => framesMost(history),
};

/** How many frames some shard had in flight at once: with more than one stream may have, one of its two slow ones is full. */
function framesMost({ events }: History): Judgement {
  const frames = events.map(({ event }) => (event.k === 'levels' ? (event.levels.framesInFlight ?? 0) : 0));
  return { violations: [], seen: { framesMost: frames.reduce((most, each) => Math.max(most, each), 0) } };
}

export const smallPackets: Scenario = {
  faults: ['F20'],
  title: 'a link that carries packets of 600 bytes',
  injects: "MTU 600 on one node's link for 15 s, under load",
  holds: 'I18, and nothing is cut short: I5, I7',
  needs: ['namespaces'],
  deadlineMs: 180_000,
  workload: { padding: (draw) => draw % 1_000 },
  async inject({ cluster, network, rng, say, saw }) {
    const { id } = oneOf(rng, cluster.nodes);
    say(`MTU ${mtuBytes} for ${id}`);
    network.setMtu(id, mtuBytes);
    network.countLarger(id, mtuBytes);
    await pause(15_000);
    saw('largerPacketsSent', largerSent(network, [id]));
    const others = cluster.nodes.map((node) => node.id).filter((other) => other !== id);
    saw('largerPacketsGot', largerSent(network, others));
    network.heal();
    await nobodyDies(cluster);
  },
};
