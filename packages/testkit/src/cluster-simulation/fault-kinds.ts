import { faultKinds, logCutFaultKind, serviceLackedKind } from '../simulation/fault-kinds.ts';

/** What is done to records' ways, beside what every cluster has to bear. */
export const recordFaultKinds = [
  // streams
  'streamBreak',
  'streamHalfOpen',
  'streamStall',
  // the log
  'brokerStall',
  'brokerDown',
  'brokersCutOff',
  'partitionLeaderMoves',
  'logReplyLost',
  'offsetsRewound',
  'offsetsLost',
  // the store
  'storeSlow',
  'storeFrozen',
  'storeLossy',
  'storeCutOff',
  'storeFailover',
  'storeBucketsLost',
  'storeSplit',
  // shards
  'shardPaused',
  // operators
  'rollingRestart',
  'drainShortly',
  'retireNode',
  'moveHotUnit',
  'forceHotUnit',
] as const;

/** Of every fourth history: a record that ends each process that applies it. */
export const deadlyFaultKind = 'deadlyRecord';
/** Of every fourth: a record that leaves a state which can't be backed up. */
export const spoiltFaultKind = 'spoiltState';

/** Between two rounds of every eighth: an operator releases users from quarantine. */
export const releaseFaultKind = 'releaseQuarantined';
/** And of every fourth: the stored row of a unit can't be read any more. */
export const bentFaultKind = 'rowBent';

/** Every kind of fault that the simulation of the whole cluster injects. */
export const clusterFaultKinds: readonly string[] = [
  ...faultKinds,
  ...recordFaultKinds,
  deadlyFaultKind,
  spoiltFaultKind,
  releaseFaultKind,
  logCutFaultKind,
  serviceLackedKind,
  bentFaultKind,
];
