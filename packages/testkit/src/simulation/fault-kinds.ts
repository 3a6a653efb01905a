/** Every kind of fault that any simulation of a cluster injects; each is counted when it takes effect. */
export const faultKinds = [
  // the network
  'loss',
  'delay',
  'reorder',
  'duplicate',
  'cutPair',
  'cutOneWay',
  'isolate',
  'split',
  'clog',
  'firewall',
  // processes
  'crash',
  'crashLeader',
  'crashInWrite',
  'crashVoter',
  'crashAll',
  'crashEachLeader',
  'stop',
  'stall',
  'pause',
  'pauseAll',
  'pauseInCut',
  'strobe',
  'shardFailed',
  'shardStuck',
  // disks
  'diskLost',
  'diskDamaged',
  'diskFull',
  'syncFails',
  'diskSlow',
  // clocks
  'clockRate',
  'wallClockJump',
  // what the leader reads
  'storeDown',
  'storeWiped',
  // operators and shards
  'forceRelease',
  'transferLeader',
  'moveUnit',
  'removeMember',
  'removedReturns',
  'drain',
  'giveUp',
  'topicGrows',
] as const;

/** Of every fourth history, long as it lasts: the log doesn't reach a node, though its calls are answered. */
export const logCutFaultKind = 'logCut';

/** A node has lost its session since log or store didn't answer it, and answered others. */
export const serviceLackedKind = 'serviceLacked';

export type FaultKind = (typeof faultKinds)[number];
