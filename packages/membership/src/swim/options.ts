import { assert, type NodeId } from '@holdfast/model';
import type { MembershipLimits } from '../membership-view.ts';

/** Times and limits of the core. Whoever changes one runs `bench/membership/run.ts`: the targets stand there. */
export interface SwimOptions extends MembershipLimits {
  readonly id: NodeId;
  /** host:port of nodes to look for, for ever. */
  readonly seeds: readonly string[];
  /** How often `tick` is to come; all times below are kept to this grain. */
  readonly tickMs: number;
  /** By how much a tick may be late before this node distrusts its own verdicts. */
  readonly lateMaxMs: number;
  /** One member is probed per interval. */
  readonly probeIntervalMs: number;
  /** After so long without an ack others are asked to probe too, and the ping is sent again; again after as long. */
  readonly pingTimeoutMs: number;
  /** After so long a probe has failed. */
  readonly probeTimeoutMs: number;
  /** How many others are asked. */
  readonly relaysMax: number;
  /** A suspect is pinged so often, each time with the accusation, so that it hears of it and its refutation is heard. */
  readonly suspectPingMs: number;
  /** How long a suspect may refute: when enough others confirm the suspicion, */
  readonly suspicionMinMs: number;
  /** and when nobody does. */
  readonly suspicionMaxMs: number;
  /** News that is still to be told goes to so many members, so often. */
  readonly gossipIntervalMs: number;
  readonly gossipFanout: number;
  /** News is told `retransmitFactor` × log10(members + 1) times. */
  readonly retransmitFactor: number;
  /** How often tables are compared with a living member, and with a dead one or a seed. */
  readonly syncIntervalMs: number;
  /** How often, while nobody is known. */
  readonly lonelySyncMs: number;
  /** Members of which there is news to tell. */
  readonly rumoursMax: number;
  /** An encoded packet. */
  readonly packetBytesMax: number;
}

export const swimDefaults = {
  // Fine enough for what follows, and ten wake-ups a second cost nothing.
  tickMs: 100,
  // Above what a loaded event loop shows now and then, far below the time to refute.
  lateMaxMs: 150,
  // In a cluster of three each member is probed by each other one once a second.
  probeIntervalMs: 500,
  // Round trips within a region are below 5 ms; this leaves room for a garbage collection of 100 ms.
  pingTimeoutMs: 200,
  // Three pings and two hops: at 5 % loss one of 30,000 probes of a healthy member fails, at 20 % one of 60.
  probeTimeoutMs: 800,
  relaysMax: 3,
  // About ten chances to refute within the time to do so: at 20 % loss all of them fail once in 10^5.
  suspectPingMs: 300,
  // A pause of 3 s is tolerated;
  suspicionMinMs: 3_000,
  // without a second opinion 4 s, with which a dead node of three is known within 6 s.
  suspicionMaxMs: 4_000,
  gossipIntervalMs: 200,
  gossipFanout: 3,
  retransmitFactor: 4,
  syncIntervalMs: 2_000,
  lonelySyncMs: 500,
  rumoursMax: 1_024,
  membersMax: 256,
  // An hour: longer than a node's reboot, so the dead are looked for and late rumours don't bring them back.
  tombstoneKeepMs: 3_600_000,
  packetBytesMax: 1_400,
} satisfies Omit<SwimOptions, 'id' | 'seeds'>;

/** What each time has to be above, so that the rules can hold; one line per problem. */
export function swimOptionProblems(options: SwimOptions): string[] {
  const problems: string[] = [];
  const atLeast = (name: keyof SwimOptions, least: number, why: string) => {
    if ((options[name] as number) < least)
      problems.push(`${name}: ${options[name]}, expected at least ${least}: ${why}`);
  };
  atLeast('lateMaxMs', options.tickMs, 'the grain of time');
  atLeast('pingTimeoutMs', options.tickMs, 'the grain of time');
  atLeast('probeTimeoutMs', 3 * options.pingTimeoutMs, 'three pings, or a ping and two hops');
  atLeast('suspicionMinMs', options.probeTimeoutMs + 2 * options.suspectPingMs, 'or a suspect has no time to refute');
  atLeast('suspicionMaxMs', options.suspicionMinMs, 'the time without confirmation is the longer one');
  atLeast('rumoursMax', 1, 'a queue has a place');
  return problems;
}

/** Counters since start; plain numbers, for a collector to read. */
export interface SwimStats {
  probes: number;
  probesFailed: number;
  suspicions: number;
  /** How often this node had to raise its incarnation against an accusation. */
  refutations: number;
  /** How often this process was late. */
  stalls: number;
  /** Verdicts that fell into a stall, or that the accused disproved by being heard. */
  verdictsDistrusted: number;
  /** Deaths told by others of members that this node had just heard. */
  hearsayDoubted: number;
  /** Well-formed, but not to be believed: a leap of the incarnation. */
  refusedClaims: number;
  refusedTableFull: number;
  /** Above the rate at which such requests are answered. */
  refusedRate: number;
  rumoursDropped: number;
}

export function zeroSwimStats(): SwimStats {
  return {
    probes: 0,
    probesFailed: 0,
    suspicions: 0,
    refutations: 0,
    stalls: 0,
    verdictsDistrusted: 0,
    hearsayDoubted: 0,
    refusedClaims: 0,
    refusedTableFull: 0,
    refusedRate: 0,
    rumoursDropped: 0,
  };
}

export function checkSwimOptions(options: SwimOptions): SwimOptions {
  const problems = swimOptionProblems(options);
  assert(problems.length === 0, `swim options: ${problems.join('; ')}`);
  return options;
}
