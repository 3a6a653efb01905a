import type { SeedProfile } from '../simulation/run-seeds.ts';
import { corpus } from './corpus.ts';
import { gossipFaultKinds } from './gossip-simulation.ts';

/** `npm run sim -- --profile gossip` */
export const gossipProfile: SeedProfile = {
  name: 'gossip',
  module: new URL('./gossip-simulation.ts', import.meta.url),
  corpus,
  faultKinds: gossipFaultKinds,
  seedsThatShowAll: 50,
  twiceEvery: 20,
};
