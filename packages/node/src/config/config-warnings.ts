import { formatHostPort, isLoopback, parseHostPort } from './host-port.ts';
import type { NodeConfig } from './node-config.ts';

type Settings = Pick<NodeConfig, 'tls' | 'nodeId' | 'peers' | 'listenControl' | 'listenShards' | 'listenGossip'>;

/** What works, and yet is seldom meant: a line each, for the log of a start and for `config check`. */
export function configWarnings(settings: Settings): string[] {
  return [openLinks(settings), unreachedLinks(settings)].filter((text) => text !== null);
}

function openLinks({ tls, listenControl, listenShards }: Settings): string | null {
  const open = Object.entries({ 'listen.control': listenControl, 'listen.shards': listenShards })
    .filter(([, { host }]) => !isLoopback(host))
    .map(([path, at]) => `${path} (${formatHostPort(at)})`);
  if (tls !== null || open.length === 0) return null;
  return (
    `other machines can reach ${open.join(' and ')}, and whoever does can speak as any node and as an operator: ` +
    'set tls.ca, tls.cert and tls.key (docs/OPERATIONS.md, Certificates), or let no others reach it'
  );
}

/** Loopback is the default of `listen`, and what it listens on is what others are told. */
function unreachedLinks({ nodeId, peers, listenControl, listenShards, listenGossip }: Settings): string | null {
  const away = peers.find(({ id, address }) => id !== nodeId && !isLoopback(parseHostPort(address)!.host));
  const links = { 'listen.control': listenControl, 'listen.shards': listenShards, 'listen.gossip': listenGossip };
  const closed = Object.entries(links)
    .filter(([, { host }]) => isLoopback(host))
    .map(([path, at]) => `${path} (${formatHostPort(at)})`);
  if (away === undefined || closed.length === 0) return null;
  return `only this machine can reach ${closed.join(' and ')}, and ${away.id} is at ${away.address}`;
}
