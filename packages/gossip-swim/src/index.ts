export { type DatagramSeal, nullSeal } from './datagram-seal.ts';
export { GossipError, gossipErrorCodes } from './errors.ts';
export type { GossipStats } from './gossip-stats.ts';
export { compileSwimGossipOptions, type SwimGossipOptions, seedsMax, swimGossipDefaults } from './options.ts';
export { SwimGossip, type SwimGossipDependencies } from './swim-gossip.ts';
