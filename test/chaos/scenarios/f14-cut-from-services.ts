import type { StatusDocument } from '@holdfast/node';
import { pause, waitFor } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { shuffled } from './draw.ts';
import { sessionsStay } from './same-sessions.ts';

/** Long enough for the node to say so, and for a session that isn't renewed to end. */
const cutMs = 20_000;
/** A node that lacks a service for 30 s isn't renewed any more if others have it, and stops 9 s later. */
const lackedMsMax = 75_000;
const goesOnMs = 45_000;
const hubHost = '10.231.7.254';

/** What the node sends to the port is lost, and so is what comes from there. */
function cutFrom({ network }: Fire, id: string, port: number): void {
  network.inside(id, 'iptables', '-w', '-A', 'OUTPUT', '-p', 'tcp', '-d', hubHost, '--dport', `${port}`, '-j', 'DROP');
  network.inside(id, 'iptables', '-w', '-A', 'INPUT', '-p', 'tcp', '-s', hubHost, '--sport', `${port}`, '-j', 'DROP');
}

export const cutFromServices: Scenario = {
  faults: ['F14'],
  title: 'a node is cut off from the store only, from the log only, from its peers only',
  injects:
    `the node with most changes that no backup covers, under load, in any order; from a service for ${cutMs} ms, then until ` +
    'its session is lost and the others have gone on',
  holds:
    'I3, I6, I8: it says which is away; a short absence costs no session, a long one costs it its own, and the others go on ' +
    'with all partitions meanwhile',
  needs: ['namespaces'],
  deadlineMs: 560_000,
  settleMs: 90_000,
  cluster: { settings: { session: usualSession } },
  services: KafkaAndRedis.opening({ host: hubHost }),
  async inject(fire) {
    const { cluster, network, rng, say, saw } = fire;
    const { kafka, redis } = KafkaAndRedis.of(fire);
    const cuts: Readonly<Record<string, { reason: string; lives: boolean; cut(id: string): void }>> = {
      store: { reason: 'STORE_UNREACHABLE', lives: true, cut: (id) => cutFrom(fire, id, redis.server.port) },
      log: { reason: 'LOG_UNREACHABLE', lives: true, cut: (id) => cutFrom(fire, id, kafka.port) },
      peers: { reason: 'NODE_', lives: false, cut: (id) => network.isolate(id) },
    };
    for (const name of shuffled(rng, Object.keys(cuts))) {
      const node = await cluster.holder();
      const { reason, lives, cut } = cuts[name]!;
      const before = await cluster.whole();
      say(`${node.id} is cut off from the ${name}`);
      cut(node.id);
      const startMs = performance.now();
      // Cut off from its peers, it says of them what they say of it.
      const others = cluster.others(node.id).map(({ id }) => id);
      try {
        await waitFor(`${reason} of ${node.id}`, cutMs, async () => {
          const reasons = (await cluster.status(...others))?.cluster.reasons ?? [];
          return reasons.some((one) => one.code.startsWith(reason) && one.node === node.id) || null;
        });
        saw(`${name}Cut`);
        await pause(Math.max(0, cutMs - (performance.now() - startMs)));
      } finally {
        say('healed');
        network.heal();
      }
      if (lives) {
        await sessionsStay(cluster, before);
        await goOnWithout(fire, name, node.id, cut);
        saw(`${name}Lacked`);
      }
      await cluster.whole();
      await pause(2_000);
    }
  },
};

/** The node is cut off for longer than its session lasts without the service: all that comes then is done by the others. */
async function goOnWithout(fire: Fire, name: string, id: string, cut: (id: string) => void): Promise<void> {
  const { cluster, network, say } = fire;
  const others = cluster.others(id).map((node) => node.id);
  say(`${id} is cut off from the ${name} for long`);
  cut(id);
  try {
    const sessionOf = (status: StatusDocument) => status.nodes.find((row) => row.id === id)?.session.id;
    await cluster.inStatus(`the end of ${id}'s session`, (status) => sessionOf(status) === null, lackedMsMax, others);
    const { ends } = await cluster.progress();
    await waitFor('all partitions to go on', goesOnMs, async () => {
      const { committed } = await cluster.progress();
      return committed.every((offset, i) => offset > ends[i]!) || null;
    });
  } finally {
    say('healed');
    network.heal();
  }
}
