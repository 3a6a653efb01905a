export { DatagramFramer, datagramFormats } from './datagram.ts';
export { GossipError, gossipErrorCodes } from './errors.ts';
export { type GossipOptions, gossipDefaults, seedsMax } from './gossip-options.ts';
export { LifeguardGossip, type LifeguardGossipDependencies } from './lifeguard/lifeguard-gossip.ts';
export type { DatagramStats, LifeguardStats } from './lifeguard/lifeguard-stats.ts';
export {
  compileLifeguardGossipOptions,
  type LifeguardGossipOptions,
  lifeguardGossipDefaults,
} from './lifeguard/options.ts';
export type { GossipStats } from './npm-swim/gossip-stats.ts';
export { compileSwimGossipOptions, type SwimGossipOptions, swimGossipDefaults } from './npm-swim/options.ts';
export { SwimGossip, type SwimGossipDependencies } from './npm-swim/swim-gossip.ts';
export { type DatagramSeal, nullSeal } from './seal/datagram-seal.ts';
export { KeyRing, keyBytes, keysMax, parseKeyFile, type RingKey } from './seal/key-ring.ts';
export { SealedDatagrams, type SealIdentity, type SealMode } from './seal/sealed-datagrams.ts';
