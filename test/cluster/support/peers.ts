import { freePorts } from './free-ports.ts';

/** A node as `cluster.peers` names it. */
export interface Peer {
  readonly id: string;
  readonly address: string;
  readonly gossip: string;
}

/** n1 to n`count` on free ports of 127.0.0.1. */
export async function newPeers(count: number): Promise<Peer[]> {
  const ports = await freePorts(count * 2);
  return Array.from({ length: count }, (_, i) => ({
    id: `n${i + 1}`,
    address: `127.0.0.1:${ports[2 * i]}`,
    gossip: `127.0.0.1:${ports[2 * i + 1]}`,
  }));
}
