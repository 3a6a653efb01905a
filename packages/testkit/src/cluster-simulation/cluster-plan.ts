import type { ShardSettings } from '@holdfast/engine';
import { nodeId, type Rng, randomBelow, randomRatio } from '@holdfast/model';
import { defaultRecordLimits, type RecordLimits } from '@holdfast/processor';
import type { CommonPlan } from '../simulation/common-plan.ts';
import { faultKinds, logCutFaultKind } from '../simulation/fault-kinds.ts';
import { deadLetterTopic } from './cluster-job.ts';
import { recordFaultKinds } from './fault-kinds.ts';
import { drawUsers, type SimulatedUser } from './users.ts';

/** All that a seed decides before the first event. */
export interface ClusterPlan extends CommonPlan {
  readonly users: readonly SimulatedUser[];
  /** How likely each user is, cumulated to 1. */
  readonly shares: readonly number[];
  readonly partitions: number;
  /** Faults, then none until all is in order: so many times. */
  readonly rounds: number;
  /** A history that is over sooner doesn't count. */
  readonly virtualMsMin: number;
  readonly roundMs: number;
  readonly recordsPerRound: number;
  /** How likely each part of a burst is to go to the same partition as the last. */
  readonly stickiness: number;
  readonly idleMs: number;
  readonly limits: RecordLimits;
  readonly settings: ShardSettings;
  readonly streamHighWaterBytes: number;
  readonly logFences: boolean;
  /** Messages between the threads of a process take up to so long. */
  readonly messageMsMax: number;
  /** Some users have records that end the processes that apply them. */
  readonly isDeadly: boolean;
  /** Some users have records that leave states which can't be backed up. */
  readonly isSpoiling: boolean;
  /** Users are released from quarantine between two rounds. */
  readonly isReleasing: boolean;
  /** What another cluster has committed in each partition, before this one was founded over its log, without its store. */
  readonly committedBefore: { readonly offset: number; readonly fence: number } | null;
  /** Some users have rows that the store can't read any more. */
  readonly isBending: boolean;
  /** A user whose records keep the thread busy for so long each. */
  readonly slow: { readonly key: Uint8Array; readonly recordMs: number } | null;
}

/** A seed's kinds of faults are a part of all: rare ones get histories in which they are common. */
const kindsMin = 8;
/** One in so many seeds lasts ten virtual minutes. */
const longEvery = 50;
/** One in so many has deadly records, another one spoiling ones, another one nodes that the log doesn't reach, the fourth bent rows. */
const deadlyEvery = 4;
/**
 * And in a fourth of these an operator releases users from quarantine. Their stores lose nothing: where rows are lost, what
 * was applied before the quarantine is buried when it is read again after it, which the checkers can't tell from a loss.
 */
const releasingEvery = 4 * deadlyEvery;
const losesRows = ['storeWiped', 'storeFailover', 'storeBucketsLost', 'storeSplit'];
/** One in so many has a slow user: one of those who come after the busiest, who may have most of the load. */
const slowEvery = 3;
/** Without these a seed proves too little: sessions that end, units that move. */
const always = ['crash', 'pause', 'moveHotUnit'];

/** What belongs together, so that some histories have much of it. */
const themes: readonly (readonly string[])[] = [
  ['storeSplit', 'crashLeader', 'transferLeader'],
  ['storeFailover', 'storeBucketsLost', 'moveHotUnit', 'streamBreak'],
  ['storeWiped', 'storeFailover', 'crash', 'storeSlow'],
  ['streamBreak', 'streamHalfOpen', 'streamStall', 'moveHotUnit'],
  ['rollingRestart', 'drainShortly', 'moveHotUnit', 'giveUp'],
  ['stop', 'rollingRestart', 'storeFrozen', 'storeSlow'],
  ['shardPaused', 'pause', 'stall', 'storeFrozen'],
  ['brokerDown', 'brokerStall', 'partitionLeaderMoves', 'logReplyLost', 'offsetsRewound'],
  ['storeLossy', 'storeSlow', 'storeCutOff', 'crash'],
  ['storeCutOff', 'brokersCutOff', 'crashLeader', 'moveHotUnit'],
  ['forceHotUnit', 'forceRelease', 'moveUnit', 'delay'],
  ['forceHotUnit', 'storeSlow', 'stall', 'pause'],
  ['storeFailover', 'storeBucketsLost', 'moveHotUnit', 'crash', 'shardPaused'],
];
const themeWeight = 4;

export function drawPlan(rng: Rng, seed: number): ClusterPlan {
  const between = (least: number, most: number): number => least + randomBelow(rng, most - least + 1);
  const oneOf = <T>(values: readonly T[]): T => values[randomBelow(rng, values.length)]!;
  const nodes = oneOf([3, 3, 3, 4, 5, 5, 7]);
  const founders = nodes >= 5 && randomBelow(rng, 2) === 0 ? 5 : 3;
  const nodeIds = Array.from({ length: nodes }, (_, i) => nodeId(`n${i + 1}`));
  const weights = new Map<string, number>();
  while (weights.size < kindsMin) {
    for (const kind of [...faultKinds, ...recordFaultKinds])
      if (randomBelow(rng, 3) === 0) weights.set(kind, 0.2 + randomRatio(rng));
  }
  const average = [...weights.values()].reduce((sum, weight) => sum + weight, 0) / weights.size;
  for (const kind of always) weights.set(kind, average);
  if (randomBelow(rng, 2) === 0) for (const kind of oneOf(themes)) weights.set(kind, themeWeight);
  const isReleasing = [1, 3].includes(seed % releasingEvery);
  if (isReleasing) for (const kind of losesRows) weights.delete(kind);
  if (seed % deadlyEvery === 2) weights.set(logCutFaultKind, average);
  const users = drawUsers(rng, oneOf([12, 40, 80, 120]));
  const isLong = seed % longEvery === 7;
  return {
    nodeIds,
    founders: nodeIds.slice(0, founders),
    shardsPerNode: nodes === 7 ? between(1, 2) : between(1, 3),
    users,
    shares: drawShares(rng, users.length),
    units: users.map(({ unit }) => unit),
    partitions: between(3, 6),
    rounds: isLong ? 8 : 2,
    virtualMsMin: isLong ? 600_000 : 120_000,
    roundMs: between(56_000, 66_000) + (isLong ? 16_000 : 0),
    recordsPerRound: between(1_050, 2_000),
    stickiness: randomRatio(rng) * 0.9,
    idleMs: oneOf([2_000, 8_000, 30_000, 600_000]),
    faultEveryMs: between(1_500, 5_000),
    weights,
    votersLostMax: (founders - 1) / 2,
    compaction: { entriesMax: oneOf([60, 500, 2_000]), trailingEntries: between(0, 30) },
    lease: { boundedLoadSlack: between(1, 12), serviceAwayMs: oneOf([8_000, 15_000, 30_000]) },
    clockDriftRatio: randomRatio(rng) * 0.08,
    storeHighestEpoch: between(0, 3) * 1_000_003,
    limits: {
      ...defaultRecordLimits,
      frameRecordsMax: oneOf([2, 8, 64, 256]),
      frameBytesMax: oneOf([200, 4_096, 256 * 1_024]),
      framesInFlightMax: oneOf([2, 8, 64]),
      bytesInFlightMax: oneOf([800, 16_000, 8 * 1_024 * 1_024]),
      undurableRunsMax: 16,
      parkedRecordsMax: oneOf([40, 400, 65_536]),
      parkedBytesMax: oneOf([1_500, 20_000, 64 * 1_024 * 1_024]),
      outputsUnackedMax: oneOf([10, 200, 65_536]),
      outputBytesMax: oneOf([60, 2_000, 64 * 1_024 * 1_024]),
      moveAsksMax: between(1, 3),
    },
    settings: {
      deadLetterTopic,
      backupIntervalMs: oneOf([250, 1_000, 3_000]),
      backupRowsMax: oneOf([2, 16, 512]),
      frameAgeMs: oneOf([2, 5, 40]),
      commitIntervalMs: oneOf([100, 400, 1_000]),
      fetchBytesMax: oneOf([200, 4_096, 256 * 1_024]),
      outputBatchMax: oneOf([2, 30, 1_000]),
      outputPartitions: between(1, 3),
      startPosition: 'earliest',
    },
    streamHighWaterBytes: oneOf([300, 4_000, 1_024 * 1_024]),
    logFences: randomBelow(rng, 2) === 0,
    messageMsMax: oneOf([0.5, 0.5, 10, 80]),
    isDeadly: seed % deadlyEvery === 3,
    isSpoiling: seed % deadlyEvery === 1,
    isReleasing,
    committedBefore: oneOf([null, { offset: between(1, 100), fence: between(1, 4) * 1_100_001 }]),
    isBending: seed % deadlyEvery === 0,
    // Not drawn: other seeds keep their histories. Not in long ones: whoever reads all of them again would take minutes.
    slow: seed % slowEvery === 0 && !isLong ? { key: users[1 + (seed % 4)]!.key, recordMs: 5 + (seed % 25) } : null,
  };
}

/** Zipf's law, and now and then one user who has most of it. */
function drawShares(rng: Rng, count: number): number[] {
  const exponent = 0.6 + randomRatio(rng) * 0.8;
  const weights = Array.from({ length: count }, (_, i) => 1 / (i + 1) ** exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (randomBelow(rng, 4) === 0) weights[0] = sum * (1 + randomRatio(rng) * 8);
  const total = weights.reduce((all, weight) => all + weight, 0);
  let at = 0;
  return weights.map((weight) => (at += weight / total));
}
