import { isIP } from 'node:net';
import type { Expect } from './config-problem.ts';
import { formatHostPort, isWildcard, parseHostPort } from './host-port.ts';
import type { OwnConfig } from './node-config.ts';

/** What others are told of this node has to be what they can call. */
export function checkReachable(
  { nodeId, peers, listenControl, listenShards, listenGossip }: OwnConfig,
  expect: Expect,
): void {
  expect(
    isIP(listenGossip.host) !== 0,
    'listen.gossip',
    formatHostPort(listenGossip),
    'an IP address of this machine: a name may stand in cluster.peers',
  );
  const self = peers.find(({ id }) => id === nodeId);
  for (const [path, at, known] of [
    ['listen.control', listenControl, self?.address],
    ['listen.shards', listenShards, self?.address],
    ['listen.gossip', listenGossip, self?.gossipAddress],
  ] as const) {
    if (!isWildcard(at.host) || known === undefined) continue;
    const { host } = parseHostPort(known)!;
    const what = path === 'listen.gossip' ? 'gossip' : 'address';
    expect(
      !isWildcard(host),
      path,
      formatHostPort(at),
      `one address, or this node in cluster.peers with the ${what} that others reach: they can't call ${host}`,
    );
    const isOtherFamily = isIP(host) !== 0 && isIP(at.host) !== 0 && isIP(host) !== isIP(at.host);
    expect(
      path !== 'listen.gossip' || isWildcard(host) || !isOtherFamily,
      path,
      formatHostPort(at),
      `of the same family as this node's gossip in cluster.peers (${known})`,
    );
  }
  const uncallable = peers
    .filter(({ id }) => id !== nodeId)
    .flatMap(({ address, gossipAddress }) => [address, gossipAddress])
    .filter((address) => isWildcard(parseHostPort(address)!.host));
  expect(uncallable.length === 0, 'cluster.peers', uncallable, 'addresses that this node can call');
}
