import { formatHostPort, isLoopback } from './host-port.ts';
import type { NodeConfig } from './node-config.ts';

/** What works, and yet is seldom meant: a line each, for the log of a start and for `config check`. */
export function configWarnings({
  tls,
  listenControl,
  listenShards,
}: Pick<NodeConfig, 'tls' | 'listenControl' | 'listenShards'>): string[] {
  const open = Object.entries({ 'listen.control': listenControl, 'listen.shards': listenShards })
    .filter(([, { host }]) => !isLoopback(host))
    .map(([path, at]) => `${path} (${formatHostPort(at)})`);
  if (tls !== null || open.length === 0) return [];
  return [
    `other machines can reach ${open.join(' and ')}, and whoever does can speak as any node and as an operator: ` +
      'set tls.ca, tls.cert and tls.key (docs/OPERATIONS.md, Certificates), or let no others reach it',
  ];
}
