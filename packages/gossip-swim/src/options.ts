import { isIP, isIPv6 } from 'node:net';
import {
  isText,
  type NodeMeta,
  nodeIdBytesMax,
  nodeMetaBytes,
  nodeMetaBytesMax,
  nodeMetaProblems,
  parseAddress,
} from '@holdfast/membership';
import type { NodeId } from '@holdfast/model';
import { type DatagramSeal, nullSeal } from './datagram-seal.ts';
import { GossipError } from './errors.ts';

/** What a node's gossip needs to know. Everything with a default may be left out; times in milliseconds. */
export interface SwimGossipOptions {
  readonly id: NodeId;
  /** Its `startCounter` must be above that of this data folder's earlier starts: incarnations begin from it. */
  readonly meta: NodeMeta;
  /** Datagrams of other clusters are passed over. */
  readonly clusterName: string;
  /** UDP port; 0 takes a free one. */
  readonly port: number;
  /** IP literal to bind. */
  readonly bindHost?: string;
  /** What others send to: an IP literal, or a name that is resolved once, at start. Default: bindHost. */
  readonly advertiseHost?: string | null;
  /** host:port of nodes to look for, for ever; names are resolved each time. This node's own address may be among them. */
  readonly seeds?: readonly string[];
  /** One member is probed per interval. */
  readonly intervalMs?: number;
  readonly pingTimeoutMs?: number;
  readonly pingReqTimeoutMs?: number;
  /** How many others are asked to probe a silent member before it is suspected. */
  readonly pingReqGroupSize?: number;
  /** How long a suspect may refute. */
  readonly suspectTimeoutMs?: number;
  /** How often to exchange full state with a seed, a dead member and a living one. */
  readonly rejoinIntervalMs?: number;
  /** How often this process checks whether it is on time, */
  readonly beatMs?: number;
  /** and by how much it may be late before its own verdicts are set aside. */
  readonly lateMaxMs?: number;
  /** How often the goodbye is said, */
  readonly leaveRepeatCount?: number;
  /** and how far apart. */
  readonly leaveRepeatMs?: number;
  /** How long the dead and the left are remembered. */
  readonly tombstoneKeepMs?: number;
  /** Members and tombstones together. */
  readonly membersMax?: number;
  readonly datagramBytesMax?: number;
  readonly seal?: DatagramSeal;
}

/** With these, a member of a cluster of three that falls silent is dead after 3.6 to 4.8 s. */
export const swimGossipDefaults = {
  // Nobody outside this machine can speak to a node that was given no address.
  bindHost: '127.0.0.1',
  advertiseHost: null,
  seeds: [] as readonly string[],
  // Each of two peers is probed every 0.6 s; three probes a second cost nothing.
  intervalMs: 300,
  // Round trips within a region are below 5 ms; this leaves room for a garbage collection of 100 ms.
  pingTimeoutMs: 150,
  // Two hops, and the relay's own wait.
  pingReqTimeoutMs: 450,
  // 5 % loss makes three relays fail together once in 10^3 probes that failed already.
  pingReqGroupSize: 3,
  // In small clusters nobody else can confirm, so time must do: a pause of 3 s is tolerated.
  suspectTimeoutMs: 3000,
  // A healed cut is mended within about two rounds. Full state of 100 members is some 20 kB.
  rejoinIntervalMs: 2000,
  beatMs: 100,
  // Above what a loaded event loop shows now and then, below pingTimeout + pingReqTimeout.
  lateMaxMs: 150,
  // Three datagrams, at 20 % loss all lost once in 125.
  leaveRepeatCount: 3,
  leaveRepeatMs: 40,
  // An hour: longer than a node's reboot, so the dead are looked for and late rumours don't bring them back.
  tombstoneKeepMs: 3_600_000,
  membersMax: 256,
  // Below the usual MTU of 1,500 and that of most tunnels, so that nothing is fragmented.
  datagramBytesMax: 1400,
  seal: nullSeal,
} satisfies Partial<SwimGossipOptions>;

export type CompiledSwimGossipOptions = Required<SwimGossipOptions>;

export const seedsMax = 16;
/** A member's whole entry must fit one datagram, or it would never be told to anyone. */
const memberEntryOverheadBytes = 224;

/** @throws GossipError GOSSIP_OPTIONS with all problems */
export function compileSwimGossipOptions(given: SwimGossipOptions): CompiledSwimGossipOptions {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = { ...swimGossipDefaults, ...set } as CompiledSwimGossipOptions;
  const problems = [...unknownOptions(given), ...valueProblems(options)];
  if (problems.length === 0) problems.push(...relationProblems(options));
  if (problems.length > 0) throw new GossipError({ code: 'GOSSIP_OPTIONS', problems });
  return Object.freeze(options);
}

function unknownOptions(given: object): string[] {
  const known = new Set([...Object.keys(swimGossipDefaults), 'id', 'meta', 'clusterName', 'port']);
  return Object.keys(given)
    .filter((name) => !known.has(name))
    .map((name) => `${name}: unknown option`);
}

function valueProblems(options: CompiledSwimGossipOptions): string[] {
  const problems: string[] = [];
  const expect = (ok: boolean, path: string, value: unknown, expected: string) => {
    if (!ok) problems.push(`${path}: ${JSON.stringify(value)}, expected ${expected}`);
  };
  const integer = (path: keyof CompiledSwimGossipOptions, min: number, max: number) => {
    const value = options[path] as number;
    expect(Number.isInteger(value) && value >= min && value <= max, path, value, `an integer from ${min} to ${max}`);
  };
  expect(isText(options.id, nodeIdBytesMax), 'id', options.id, `text of 1 to ${nodeIdBytesMax} bytes`);
  problems.push(...nodeMetaProblems(options.meta));
  expect(isText(options.clusterName, 64), 'clusterName', options.clusterName, 'text of 1 to 64 bytes');
  expect(isIP(options.bindHost) !== 0, 'bindHost', options.bindHost, 'an IP address');
  const advertised = options.advertiseHost;
  expect(
    advertised === null || isIP(advertised) !== 0 || parseAddress(`${advertised}:1`) !== null,
    'advertiseHost',
    advertised,
    'an IP address or a host name',
  );
  expect(options.seeds.length <= seedsMax, 'seeds.length', options.seeds.length, `at most ${seedsMax}`);
  options.seeds.forEach((seed, i) => {
    expect(parseAddress(seed) !== null, `seeds[${i}]`, seed, 'host:port');
  });
  integer('port', 0, 65535);
  integer('intervalMs', 10, 60_000);
  integer('pingTimeoutMs', 5, 60_000);
  integer('pingReqTimeoutMs', 10, 60_000);
  integer('pingReqGroupSize', 1, 16);
  integer('suspectTimeoutMs', 50, 600_000);
  integer('rejoinIntervalMs', 50, 600_000);
  integer('beatMs', 5, 10_000);
  integer('lateMaxMs', 5, 60_000);
  integer('leaveRepeatCount', 1, 20);
  integer('leaveRepeatMs', 1, 1000);
  integer('tombstoneKeepMs', 1000, 7 * 86_400_000);
  integer('membersMax', 2, 1024);
  integer('datagramBytesMax', 512, 1400);
  return problems;
}

function relationProblems(options: CompiledSwimGossipOptions): string[] {
  const problems: string[] = [];
  const { intervalMs, pingTimeoutMs, pingReqTimeoutMs, suspectTimeoutMs, bindHost, advertiseHost } = options;
  if (pingReqTimeoutMs < 2 * pingTimeoutMs) {
    problems.push(`pingReqTimeoutMs: ${pingReqTimeoutMs}, expected at least 2 × pingTimeoutMs (${pingTimeoutMs})`);
  }
  const roundMs = intervalMs + pingTimeoutMs + pingReqTimeoutMs;
  if (suspectTimeoutMs < roundMs) {
    problems.push(`suspectTimeoutMs: ${suspectTimeoutMs}, expected at least a probe round (${roundMs}), to refute in`);
  }
  if (isUnspecified(advertiseHost ?? bindHost)) {
    problems.push(
      `advertiseHost: ${advertiseHost}, expected the address that others reach when bindHost is ${bindHost}`,
    );
  }
  if (advertiseHost !== null && isIP(advertiseHost) !== 0 && isIPv6(advertiseHost) !== isIPv6(bindHost)) {
    problems.push(`advertiseHost: ${advertiseHost}, expected the family of bindHost (${bindHost})`);
  }
  const metaBytes = nodeMetaBytes(options.meta);
  const roomBytes = Math.min(
    nodeMetaBytesMax,
    options.datagramBytesMax - options.seal.overheadBytes - memberEntryOverheadBytes,
  );
  if (metaBytes > roomBytes) problems.push(`meta: ${metaBytes} bytes, expected at most ${roomBytes}`);
  return problems;
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host);
}
