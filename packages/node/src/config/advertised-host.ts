import { type HostPort, isWildcard, parseHostPort } from './host-port.ts';
import type { NodeConfig, PeerConfig } from './node-config.ts';

/**
 * The host by which others reach what this node listens on. Who listens on all addresses is found at the one that the
 * others have for it.
 * @param known which of the node's addresses in `cluster.peers` has the host
 */
export function advertisedHost(
  { nodeId, peers }: Pick<NodeConfig, 'nodeId' | 'peers'>,
  listen: HostPort,
  known: keyof Pick<PeerConfig, 'address' | 'gossipAddress'> = 'address',
): string {
  if (!isWildcard(listen.host)) return listen.host;
  const self = peers.find(({ id }) => id === nodeId);
  return (self === undefined ? null : parseHostPort(self[known]))?.host ?? listen.host;
}
