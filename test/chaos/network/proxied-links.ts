import { SeededRng } from '@holdfast/model';
import { type LinkFaults, noFaults } from '../proxy/link-faults.ts';
import { TcpFaultProxy } from '../proxy/tcp-proxy.ts';
import { UdpProxy } from '../proxy/udp-proxy.ts';
import type { ChaosNetwork } from './chaos-network.ts';

/** What goes over a link: gossip's datagrams, or the connections of control planes and of record streams. */
export type Traffic = 'gossip' | 'control' | 'records';

const overheardMax = 1_000;

interface Lane {
  readonly from: string;
  readonly to: string;
  readonly traffic: Traffic;
  readonly faults: LinkFaults;
}

export interface LaneChoice {
  readonly from?: string;
  readonly to?: string;
  readonly traffic?: readonly Traffic[];
}

/**
 * All that the nodes say to each other goes through proxies of the harness: each node's own namespace turns its packets
 * there. Has to be there before the first node starts, since the kernel keeps to the way on which a conversation began.
 */
export class ProxiedLinks {
  readonly #lanes: Lane[] = [];
  readonly #udp: UdpProxy[] = [];
  readonly #tcp: TcpFaultProxy[] = [];
  /** Gossip as it was sent, by whom it was for: the last of it. */
  readonly overheard: { readonly to: string; readonly bytes: Uint8Array }[] = [];

  static async start(network: ChaosNetwork, shards: number, seed: number): Promise<ProxiedLinks> {
    const links = new ProxiedLinks();
    const ids = network.peers.map(({ id }) => id);
    for (const from of ids) for (const to of ids) if (from !== to) await links.#join(network, from, to, shards, seed);
    return links;
  }

  /** Changes what is wrong on these lanes, in the direction from the one who sends to the one who gets it. */
  set({ from, to, traffic }: LaneChoice, faults: Partial<LinkFaults>): void {
    for (const lane of this.#lanes) {
      if (from !== undefined && lane.from !== from) continue;
      if (to !== undefined && lane.to !== to) continue;
      if (traffic !== undefined && !traffic.includes(lane.traffic)) continue;
      Object.assign(lane.faults, faults);
    }
  }

  heal(): void {
    this.set({}, noFaults);
  }

  /** Breaks every connection, at both ends. @returns how many */
  reset(): number {
    return this.#tcp.reduce((sum, proxy) => sum + proxy.reset(), 0);
  }

  /** Sums over all lanes of gossip. */
  get datagrams(): {
    readonly passed: number;
    readonly lost: number;
    readonly doubled: number;
    readonly overtaken: number;
  } {
    const sums = { passed: 0, lost: 0, doubled: 0, overtaken: 0 };
    for (const { counts } of this.#udp)
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name];
    return sums;
  }

  async close(): Promise<void> {
    for (const proxy of this.#udp) proxy.close();
    await Promise.all(this.#tcp.map((proxy) => proxy.close()));
  }

  async #join(network: ChaosNetwork, from: string, to: string, shards: number, seed: number): Promise<void> {
    const targetHost = network.hostOf(to);
    const { control, gossip, records } = network.ports;
    const rng = new SeededRng(seed + this.#lanes.length);
    const common = { host: network.hubHost, targetHost, rng };
    const lane = (traffic: Traffic) => ({ there: this.#lane(from, to, traffic), back: this.#lane(to, from, traffic) });
    const turn = (protocol: 'udp' | 'tcp', port: number, proxyPort: number): void => {
      const to = ['-j', 'DNAT', '--to-destination', `${network.hubHost}:${proxyPort}`];
      const match = ['-p', protocol, '-d', targetHost, '--dport', `${port}`];
      network.inside(from, 'iptables', '-w', '-t', 'nat', '-A', 'OUTPUT', ...match, ...to);
    };
    const onDatagram = (bytes: Uint8Array): void => {
      this.overheard.push({ to, bytes: bytes.slice() });
      if (this.overheard.length > 2 * overheardMax) this.overheard.splice(0, overheardMax);
    };
    const udp = await UdpProxy.start({ ...common, targetPort: gossip, ...lane('gossip'), onDatagram });
    this.#udp.push(udp);
    turn('udp', gossip, udp.port);
    const streams = [
      { port: control, traffic: 'control' as const },
      ...Array.from({ length: shards }, (_, shard) => ({ port: records + shard, traffic: 'records' as const })),
    ];
    for (const { port, traffic } of streams) {
      const tcp = await TcpFaultProxy.start({ ...common, targetPort: port, ...lane(traffic) });
      this.#tcp.push(tcp);
      turn('tcp', port, tcp.port);
    }
  }

  /** One direction of one kind of traffic between two nodes, whoever has opened the connection. */
  #lane(from: string, to: string, traffic: Traffic): LinkFaults {
    let lane = this.#lanes.find((one) => one.from === from && one.to === to && one.traffic === traffic);
    if (lane === undefined) this.#lanes.push((lane = { from, to, traffic, faults: { ...noFaults } }));
    return lane.faults;
  }
}
