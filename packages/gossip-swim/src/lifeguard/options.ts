import { type SwimOptions, swimDefaults, swimOptionProblems } from '@holdfast/membership';
import { compileGossipOptions, type GossipOptions, gossipDefaults } from '../gossip-options.ts';

type SwimTimes = Partial<Omit<SwimOptions, 'id' | 'seeds' | 'packetBytesMax' | 'membersMax' | 'tombstoneKeepMs'>>;

/** Times and limits as in the core's `SwimOptions`. */
export interface LifeguardGossipOptions extends GossipOptions, SwimTimes {}

const { packetBytesMax: _, ...coreDefaults } = swimDefaults;

/** With these, a member of a cluster of three that falls silent is dead after 4 to 5 s. */
export const lifeguardGossipDefaults = { ...coreDefaults, ...gossipDefaults };

export type CompiledLifeguardGossipOptions = Required<LifeguardGossipOptions>;

/** @throws GossipError GOSSIP_OPTIONS with all problems */
export function compileLifeguardGossipOptions(given: LifeguardGossipOptions): CompiledLifeguardGossipOptions {
  return compileGossipOptions(given, {
    defaults: lifeguardGossipDefaults,
    ranges: [
      ['tickMs', 5, 1_000],
      ['lateMaxMs', 5, 60_000],
      ['probeIntervalMs', 10, 60_000],
      ['pingTimeoutMs', 5, 60_000],
      ['probeTimeoutMs', 15, 60_000],
      ['relaysMax', 0, 16],
      ['suspectPingMs', 10, 60_000],
      ['suspicionMinMs', 50, 600_000],
      ['suspicionMaxMs', 50, 600_000],
      ['gossipIntervalMs', 10, 60_000],
      ['gossipFanout', 1, 16],
      ['retransmitFactor', 1, 16],
      ['syncIntervalMs', 50, 600_000],
      ['lonelySyncMs', 50, 600_000],
      ['rumoursMax', 1, 1_024],
    ],
    relations: (options) => swimOptionProblems({ ...options, packetBytesMax: options.datagramBytesMax }),
  });
}
