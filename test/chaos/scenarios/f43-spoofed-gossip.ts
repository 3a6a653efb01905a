import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  DatagramFramer,
  type DatagramSeal,
  datagramFormats,
  KeyRing,
  nullSeal,
  SealedDatagrams,
} from '@holdfast/gossip-swim';
import { encodePacket, incarnationMax, type MemberClaim, memberStates, type SwimMessage } from '@holdfast/membership';
import { nodeId, randomBelow } from '@holdfast/model';
import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { oneOf } from './draw.ts';
import { nobodyDied, nobodyDies } from './nobody-died.ts';
import { datagramsTaken } from './packets-hit.ts';
import { sessionsStay } from './same-sessions.ts';

const clusterName = 'chaos';
const packetBytesMax = 1_400;
const uuid = '00000000-0000-4000-8000-000000000001';

/** Sends datagrams from an address of the harness, and counts what comes back. */
class Stranger {
  readonly #socket = createSocket('udp4');
  sent = { datagrams: 0, bytes: 0 };
  heard = { datagrams: 0, bytes: 0 };

  static async begin(host: string, port = 0): Promise<Stranger> {
    const stranger = new Stranger();
    stranger.#socket.on('message', ({ length }) => {
      stranger.heard = { datagrams: stranger.heard.datagrams + 1, bytes: stranger.heard.bytes + length };
    });
    stranger.#socket.bind(port, host);
    await once(stranger.#socket, 'listening');
    return stranger;
  }

  send(bytes: Uint8Array, address: string): void {
    const [host, port] = address.split(':');
    this.#socket.send(bytes, Number(port), host);
    this.sent = { datagrams: this.sent.datagrams + 1, bytes: this.sent.bytes + bytes.length };
  }

  close(): void {
    this.#socket.close();
  }
}

/** Claims about a node that are not so, of the highest incarnation among others. */
function lieAbout({ cluster, rng }: Fire): Uint8Array {
  const peers = cluster.peers;
  const about = oneOf(rng, peers);
  const claim: MemberClaim = {
    id: nodeId(about.id),
    incarnation: oneOf(rng, [incarnationMax, incarnationMax - 1, 1, randomBelow(rng, 2 ** 31)]),
    state: oneOf(rng, memberStates),
    gossipAddress: `${oneOf(rng, ['10.231.7.99', '127.0.0.1'])}:9`,
    meta: {
      uuid,
      startCounter: randomBelow(rng, 1_000),
      version: '9.9.9',
      peerAddress: '10.231.7.99:9',
      shardAddresses: [],
      httpAddress: null,
      zone: null,
    },
  };
  const message: SwimMessage = oneOf(rng, [
    { type: 'news' },
    { type: 'ping', seq: randomBelow(rng, 1_000), target: nodeId(oneOf(rng, peers).id) },
    { type: 'pull', digest: 0, back: true },
  ] as const);
  const news = [{ claim, ageMs: 0, accusers: claim.state === 'suspect' ? [nodeId(oneOf(rng, peers).id)] : [] }];
  return encodePacket({ from: nodeId(oneOf(rng, peers).id), message, news });
}

/** What somebody without the key can make: plain datagrams, and such under another key. */
function strangersFramers(): readonly DatagramFramer[] {
  const identity = { id: nodeId('n1'), uuid, startCounter: 99 };
  const wrong = new SealedDatagrams(new KeyRing([new Uint8Array(32).fill(7)]), clusterName, identity);
  return [nullSeal, wrong].map(
    (seal: DatagramSeal) => new DatagramFramer(datagramFormats.lifeguard, clusterName, seal, packetBytesMax),
  );
}

export const spoofedGossip: Scenario = {
  faults: ['F43'],
  title: 'gossip of somebody without the key',
  injects:
    'datagrams in plain, under a wrong key, bent, and true ones once more: each with lies about who is dead, of the highest incarnation; 3,000 of each kind',
  holds: 'I22: nothing changes: nobody is dead or another, no session ends',
  needs: ['namespaces'],
  proxied: true,
  cluster: { settings: { session: usualSession } },
  deadlineMs: 140_000,
  // A quarter of what is sent, and much more than the nodes say to each other meanwhile.
  mustSee: [['datagramsTaken', 3_000]],
  async inject(fire) {
    const { cluster, network, links, rng, say, saw } = fire;
    const before = await cluster.whole();
    const framers = strangersFramers();
    const stranger = await Stranger.begin(network.hubHost);
    const ids = cluster.nodes.map(({ id }) => id);
    const taken = datagramsTaken(network, ids);
    for (let i = 0; i < 3_000; i++) {
      for (const framer of framers) stranger.send(framer.wrap(lieAbout(fire)), oneOf(rng, cluster.peers).gossip);
      const { to, bytes } = oneOf(rng, links.overheard);
      const { gossip } = cluster.peers.find(({ id }) => id === to)!;
      stranger.send(bytes, gossip);
      saw('replayed datagrams');
      const bent = bytes.slice();
      bent[randomBelow(rng, bent.length)]! ^= 1 << randomBelow(rng, 8);
      stranger.send(bent, gossip);
      if (i % 20 === 0) await pause(20);
    }
    say(`${stranger.sent.datagrams} hostile datagrams`);
    await pause(3_000);
    stranger.close();
    saw('datagramsTaken', datagramsTaken(network, ids) - taken);
    await sessionsStay(cluster, before);
    nobodyDied(cluster);
    const after = await cluster.whole();
    for (const { id, addr, session, member } of after.nodes) {
      const was = before.nodes.find((row) => row.id === id);
      if (was?.session.id !== session.id || was.addr !== addr || member !== 'alive')
        throw new Error(
          `I22: ${id} was ${JSON.stringify(was?.session)} at ${was?.addr}, and is ${member} ${JSON.stringify(session)} at ${addr}`,
        );
    }
    if (after.nodes.length !== before.nodes.length) throw new Error('I22: somebody was made up');
  },
};

export const noAmplifier: Scenario = {
  faults: ['F44'],
  title: 'datagrams with a forged sender',
  injects: '2,000 pings, pulls and requests to ping, in plain and under a wrong key, from an address that is a victim',
  holds: 'with keys, as is the rule beyond one machine, nothing at all comes back to the victim; nobody dies of it',
  needs: ['namespaces'],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 120_000,
  mustSee: [['datagramsTaken', 500]],
  async inject(fire) {
    const { cluster, network, rng, say, saw } = fire;
    const framers = strangersFramers();
    const victimPort = 7_999;
    const victim = `${network.hubHost}:${victimPort}`;
    const ids = cluster.nodes.map(({ id }) => id);
    const taken = datagramsTaken(network, ids);
    const stranger = await Stranger.begin(network.hubHost, victimPort);
    for (let i = 0; i < 2_000; i++) {
      const target = oneOf(rng, cluster.peers);
      const message: SwimMessage = oneOf(rng, [
        { type: 'ping', seq: i, target: nodeId(target.id) },
        { type: 'pingReq', seq: i, target: nodeId('victim'), address: victim },
        { type: 'pull', digest: i, back: true },
      ] as const);
      const from = nodeId(oneOf(rng, ['victim', ...cluster.peers.map(({ id }) => id)]));
      stranger.send(oneOf(rng, framers).wrap(encodePacket({ from, message, news: [] })), target.gossip);
      if (i % 20 === 0) await pause(10);
    }
    await pause(3_000);
    stranger.close();
    saw('datagramsTaken', datagramsTaken(network, ids) - taken);
    say(`${stranger.sent.bytes} bytes were sent, ${stranger.heard.bytes} came back`);
    saw('forged', stranger.sent.datagrams);
    if (stranger.heard.bytes > 0) throw new Error(`I22: ${stranger.heard.bytes} bytes came back to a stranger`);
    await nobodyDies(cluster);
    await cluster.whole();
  },
};
