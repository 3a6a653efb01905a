import { faultKinds, logCutFaultKind } from '../simulation/fault-kinds.ts';
import type { SeedProfile } from '../simulation/run-seeds.ts';
import { corpus } from './corpus.ts';

/** `npm run sim -- --profile control` */
export const controlProfile: SeedProfile = {
  name: 'control',
  module: new URL('./control-simulation.ts', import.meta.url),
  corpus,
  faultKinds: [...faultKinds, logCutFaultKind],
  seedsThatShowAll: 100,
  rare: new Set(['staleRefused']),
  twiceEvery: 20,
};
