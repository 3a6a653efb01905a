import { defaultLimits } from '@holdfast/transport-grpc';
import { checkReachable } from './check-reachable.ts';
import type { ConfigProblem, Expect } from './config-problem.ts';
import { formatHostPort, isLoopback, meets } from './host-port.ts';
import type { OwnConfig } from './node-config.ts';
import type { IsSound } from './sound-settings.ts';

/** Of a frame beside its records' keys and values: names, numbers, the last record's head. */
const frameHeadBytesMax = 4_096;

/** What must hold between settings that are each right by themselves. */
export function checkRelations(config: OwnConfig, isSound: IsSound): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const expect = (holds: boolean, path: string, value: unknown, expected: string) => {
    if (!holds) problems.push({ path, value, expected, origin: null });
  };
  if (isSound('session')) checkSession(config, expect);
  if (isSound('limits')) checkLimits(config, expect);
  if (isSound('gossip', 'listen')) checkGossip(config, expect);
  if (isSound('cluster', 'node')) checkPeers(config, expect);
  if (isSound('cluster', 'node', 'listen')) checkReachable(config, expect);
  if (isSound('listen', 'shards')) checkPorts(config, expect);
  return problems;
}

function checkSession({ sessionTtlMs, sessionRenewMs, sessionStopMs }: OwnConfig, expect: Expect): void {
  expect(
    sessionRenewMs * 3 <= sessionTtlMs,
    'session.renew',
    `${sessionRenewMs}ms`,
    `at most a third of session.ttl (${sessionTtlMs}ms): three attempts must fail before the session ends`,
  );
  expect(
    sessionStopMs <= 0.9 * sessionTtlMs,
    'session.stop',
    `${sessionStopMs}ms`,
    `at most nine tenths of session.ttl (${sessionTtlMs}ms): a node must stop before others take over, whatever their clocks`,
  );
  expect(
    sessionRenewMs < sessionStopMs,
    'session.stop',
    `${sessionStopMs}ms`,
    `above session.renew (${sessionRenewMs}ms), or the node stops between two renewals`,
  );
}

function checkLimits({ limits }: OwnConfig, expect: Expect): void {
  const { frameBytesMax, bytesInFlightMax } = limits;
  // A frame that is nearly full takes one more record, of any size that a record may have.
  const frameBytesMost = defaultLimits.frameBytesMax - limits.recordBytesMax - frameHeadBytesMax;
  expect(
    frameBytesMax <= frameBytesMost,
    'limits.frameBytes',
    `${frameBytesMax}B`,
    `at most ${frameBytesMost}B: with the largest record, a frame has to fit into a message`,
  );
  expect(
    frameBytesMax <= bytesInFlightMax,
    'limits.frameBytes',
    `${frameBytesMax}B`,
    `at most limits.bytesInFlight (${bytesInFlightMax}B), or no frame could leave`,
  );
}

function checkGossip({ gossip, listenGossip }: OwnConfig, expect: Expect): void {
  const { keysPath, seal } = gossip;
  if (keysPath !== null) {
    expect(seal !== 'none', 'gossip.seal', seal, 'no gossip.keys with it, or another way: strict uses them');
    return;
  }
  expect(
    seal === 'strict' || seal === 'none',
    'gossip.seal',
    seal,
    'gossip.keys with it: without keys nothing is sealed',
  );
  expect(
    seal !== 'strict' || isLoopback(listenGossip.host),
    'gossip.keys',
    undefined,
    `missing, and other machines can send to listen.gossip (${formatHostPort(listenGossip)}): make a file with ` +
      '"openssl rand -base64 32 > FILE", the same for all nodes; or allow plain datagrams by gossip.seal: none',
  );
}

function checkPeers({ peers, nodeId }: OwnConfig, expect: Expect): void {
  const path = 'cluster.peers';
  expect(
    peers.some(({ id }) => id === nodeId),
    path,
    peers.map(({ id }) => id),
    `must include this node (node.id ${nodeId})`,
  );
  for (const [what, values] of [
    ['id', peers.map(({ id }) => id as string)],
    ['address', peers.map(({ address }) => address)],
    ['gossip', peers.map(({ gossipAddress }) => gossipAddress)],
  ] as const) {
    const twice = values.filter((value, i) => values.indexOf(value) !== i);
    expect(twice.length === 0, path, [...new Set(twice)], `each ${what} once`);
  }
}

function checkPorts(config: OwnConfig, expect: Expect): void {
  const { listenControl, listenHttp, listenShards, shardCount } = config;
  expect(listenControl.port > 0, 'listen.control', formatHostPort(listenControl), 'a port above 0: peers must know it');
  expect(
    config.listenGossip.port > 0,
    'listen.gossip',
    formatHostPort(config.listenGossip),
    'a port above 0: peers must know it',
  );
  const last = listenShards.port + shardCount - 1;
  expect(
    listenShards.port === 0 || last <= 65_535,
    'listen.shards',
    formatHostPort(listenShards),
    `${shardCount} ports from there on, the last below 65536`,
  );
  for (const [path, at] of [
    ['listen.http', listenHttp],
    ['listen.control', listenControl],
  ] as const) {
    if (at === null || at.port === 0 || listenShards.port === 0) continue;
    const inRange = meets(at.host, listenShards.host) && at.port >= listenShards.port && at.port <= last;
    expect(!inRange, path, formatHostPort(at), `outside the ports of listen.shards (${listenShards.port} to ${last})`);
  }
  if (listenHttp === null || listenHttp.port === 0) return;
  const same = meets(listenHttp.host, listenControl.host) && listenHttp.port === listenControl.port;
  expect(!same, 'listen.http', formatHostPort(listenHttp), 'another port than listen.control');
}
