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
import { GossipError } from './errors.ts';
import { canonicalAddress } from './ip-address.ts';
import { type DatagramSeal, nullSeal } from './seal/datagram-seal.ts';

/** What a node's gossip needs to know, whichever adapter it is. Everything with a default may be left out. */
export interface GossipOptions {
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
  /** host:port of nodes to look for, for ever; names are looked up again while nobody is found there. This node's own address may be among them. */
  readonly seeds?: readonly string[];
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

export const gossipDefaults = {
  // Nobody outside this machine can speak to a node that was given no address.
  bindHost: '127.0.0.1',
  advertiseHost: null,
  seeds: [] as readonly string[],
  // Three datagrams, at 20 % loss all lost once in 125.
  leaveRepeatCount: 3,
  leaveRepeatMs: 40,
  // An hour: longer than a node's reboot, so the dead are looked for and late rumours don't bring them back.
  tombstoneKeepMs: 3_600_000,
  membersMax: 256,
  // Below the usual MTU of 1,500 and that of most tunnels, so that nothing is fragmented.
  datagramBytesMax: 1400,
  seal: nullSeal as DatagramSeal,
} satisfies Partial<GossipOptions>;

export const seedsMax = 16;
/** A member's whole entry must fit one datagram, or it would never be told to anyone. */
const memberEntryOverheadBytes = 224;

/** An integer option and its bounds. */
export type IntegerRange = readonly [name: string, min: number, max: number];

const ranges: readonly IntegerRange[] = [
  ['port', 0, 65535],
  ['leaveRepeatCount', 1, 20],
  ['leaveRepeatMs', 1, 1000],
  ['tombstoneKeepMs', 1000, 7 * 86_400_000],
  ['membersMax', 2, 1024],
  ['datagramBytesMax', 512, 1400],
];

/**
 * Fills in defaults and checks all.
 * @param more of the adapter: its defaults, the ranges of its own integers, and what has to hold between values
 * @throws GossipError GOSSIP_OPTIONS with all problems
 */
export function compileGossipOptions<T extends GossipOptions>(
  given: T,
  more: {
    readonly defaults: object;
    readonly ranges: readonly IntegerRange[];
    readonly relations: (options: Required<T>) => string[];
  },
): Required<T> {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = { ...more.defaults, ...set } as Required<T>;
  const common = options as unknown as Required<GossipOptions>;
  const problems = [
    ...unknownOptions(given, more.defaults),
    ...valueProblems(common),
    ...integerProblems(options as unknown as Record<string, number>, [...ranges, ...more.ranges]),
  ];
  if (problems.length === 0) problems.push(...more.relations(options), ...relationProblems(common));
  if (problems.length > 0) throw new GossipError({ code: 'GOSSIP_OPTIONS', problems });
  return Object.freeze({ ...options, seeds: common.seeds.map(canonicalAddress) } as Required<T>);
}

function unknownOptions(given: object, defaults: object): string[] {
  const known = new Set([...Object.keys(defaults), 'id', 'meta', 'clusterName', 'port']);
  return Object.keys(given)
    .filter((name) => !known.has(name))
    .map((name) => `${name}: unknown option`);
}

function integerProblems(options: Record<string, number>, wanted: readonly IntegerRange[]): string[] {
  return wanted.flatMap(([name, min, max]) => {
    const value = options[name]!;
    const ok = Number.isInteger(value) && value >= min && value <= max;
    return ok ? [] : [`${name}: ${JSON.stringify(value)}, expected an integer from ${min} to ${max}`];
  });
}

function valueProblems(options: Required<GossipOptions>): string[] {
  const problems: string[] = [];
  const expect = (ok: boolean, path: string, value: unknown, expected: string) => {
    if (!ok) problems.push(`${path}: ${JSON.stringify(value)}, expected ${expected}`);
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
  return problems;
}

function relationProblems(options: Required<GossipOptions>): string[] {
  const problems: string[] = [];
  const { bindHost, advertiseHost } = options;
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
