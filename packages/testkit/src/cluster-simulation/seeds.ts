import type { SeedProfile } from '../simulation/run-seeds.ts';
import { corpus } from './corpus.ts';
import { clusterFaultKinds } from './fault-kinds.ts';

/** `npm run sim -- --profile cluster` */
export const clusterProfile: SeedProfile = {
  name: 'cluster',
  module: new URL('./cluster-simulation.ts', import.meta.url),
  corpus,
  faultKinds: clusterFaultKinds,
  seedsThatShowAll: 100,
  rare: new Set(['rowsFencedUnclean', 'offsetsFenced', 'storesEmptied', 'staleRefused']),
  twiceEvery: 20,
};
