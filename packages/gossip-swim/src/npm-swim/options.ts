import { compileGossipOptions, type GossipOptions, gossipDefaults } from '../gossip-options.ts';

/** Times in milliseconds. */
export interface SwimGossipOptions extends GossipOptions {
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
}

/** With these, a member of a cluster of three that falls silent is dead after 3.6 to 4.8 s. */
export const swimGossipDefaults = {
  ...gossipDefaults,
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
} satisfies Partial<SwimGossipOptions>;

export type CompiledSwimGossipOptions = Required<SwimGossipOptions>;

/** @throws GossipError GOSSIP_OPTIONS with all problems */
export function compileSwimGossipOptions(given: SwimGossipOptions): CompiledSwimGossipOptions {
  return compileGossipOptions(given, {
    defaults: swimGossipDefaults,
    ranges: [
      ['intervalMs', 10, 60_000],
      ['pingTimeoutMs', 5, 60_000],
      ['pingReqTimeoutMs', 10, 60_000],
      ['pingReqGroupSize', 1, 16],
      ['suspectTimeoutMs', 50, 600_000],
      ['rejoinIntervalMs', 50, 600_000],
      ['beatMs', 5, 10_000],
      ['lateMaxMs', 5, 60_000],
    ],
    relations: timeProblems,
  });
}

function timeProblems(options: CompiledSwimGossipOptions): string[] {
  const problems: string[] = [];
  const { intervalMs, pingTimeoutMs, pingReqTimeoutMs, suspectTimeoutMs } = options;
  if (pingReqTimeoutMs < 2 * pingTimeoutMs) {
    problems.push(`pingReqTimeoutMs: ${pingReqTimeoutMs}, expected at least 2 × pingTimeoutMs (${pingTimeoutMs})`);
  }
  const roundMs = intervalMs + pingTimeoutMs + pingReqTimeoutMs;
  if (suspectTimeoutMs < roundMs) {
    problems.push(`suspectTimeoutMs: ${suspectTimeoutMs}, expected at least a probe round (${roundMs}), to refute in`);
  }
  return problems;
}
