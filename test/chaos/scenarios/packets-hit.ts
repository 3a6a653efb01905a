import type { ChaosNetwork } from '../network/chaos-network.ts';

type Inside = Pick<ChaosNetwork, 'inside'>;

/** How many packets the rules of a listing have dropped or refused. */
export function hitsIn(listing: string): number {
  return [...listing.matchAll(/^\s*(\d+)\s+\d+\s+(?:DROP|REJECT)\s/gm)].reduce(
    (sum, [, hits]) => sum + Number(hits),
    0,
  );
}

/** How many packets have met the rules of a chain at these nodes; a heal forgets it. */
export function packetsHit(network: Inside, ids: readonly string[], chain: 'INPUT' | 'OUTPUT' = 'INPUT'): number {
  return ids.reduce((sum, id) => sum + hitsIn(network.inside(id, 'iptables', '-w', '-n', '-v', '-x', '-L', chain)), 0);
}

/** The same, where there must be some. @throws Error when no packet has met a rule: nothing was cut */
export function packetsCut(network: Inside, ids: readonly string[], chain: 'INPUT' | 'OUTPUT' = 'INPUT'): number {
  const hits = packetsHit(network, ids, chain);
  if (hits === 0) throw new Error(`nothing shown: no packet at ${ids.join()} has met a rule of ${chain}`);
  return hits;
}

/** How many packets the rules of a listing that go by length have counted. */
export function largerIn(listing: string): number {
  const lines = listing.split('\n').filter((line) => / length \d+:\d+/.test(line));
  return lines.reduce((sum, line) => sum + Number(/^\s*(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** How many packets `ChaosNetwork.countLarger` has counted at these nodes; a heal forgets it. */
export function largerSent(network: Inside, ids: readonly string[]): number {
  return ids.reduce(
    (sum, id) => sum + largerIn(network.inside(id, 'iptables', '-w', '-n', '-v', '-x', '-L', 'OUTPUT')),
    0,
  );
}

/** How many connections of a listing of `nat` were turned to a proxy. */
export function turnedIn(listing: string): number {
  const lines = listing.split('\n').filter((line) => line.includes('DNAT') && line.includes('tcp dpt:'));
  return lines.reduce((sum, line) => sum + Number(/^\s*(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** How many connections of these nodes to others go through the proxies. */
export function connectionsTurned(network: Inside, ids: readonly string[]): number {
  const list = ['iptables', '-w', '-t', 'nat', '-n', '-v', '-x', '-L', 'OUTPUT'];
  return ids.reduce((sum, id) => sum + turnedIn(network.inside(id, ...list)), 0);
}

/** How many datagrams have reached sockets of these nodes, since their namespaces were made. */
export function datagramsTaken(network: Inside, ids: readonly string[]): number {
  return ids.reduce((sum, id) => sum + takenIn(network.inside(id, 'cat', '/proc/net/snmp')), 0);
}

/** `InDatagrams` of UDP, by the line of names before the line of numbers. */
export function takenIn(snmp: string): number {
  const [names = [], numbers = []] = snmp
    .split('\n')
    .flatMap((line) => (line.startsWith('Udp: ') ? [line.split(' ')] : []));
  const taken = Number(numbers[names.indexOf('InDatagrams')]);
  if (!Number.isFinite(taken)) throw new Error('the kernel tells nothing of its datagrams');
  return taken;
}
