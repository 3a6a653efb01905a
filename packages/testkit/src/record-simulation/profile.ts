import { type Rng, randomBelow } from '@holdfast/model';
import { bucketOfKey, drawKeys } from './key-pool.ts';

/**
 * mixed: every fault there is, by short histories.
 * focus: longer histories around one or two losses of the store: many markers before, crowded buckets, idle units whose
 * rows have short vectors, records that stay long in frames under construction, few other faults.
 * late: shards notice long after their table what it shows, and ask for nothing meanwhile that would make them look.
 * forced: leases are taken away all the time, and every second node notices long after its table what that shows.
 * voided: units move all the time to sessions that end meanwhile, and open again while their rows are still under way.
 */
export const profileNames = ['mixed', 'focus', 'late', 'voided', 'forced'] as const;

export type ProfileName = (typeof profileNames)[number];

type Range = readonly [least: number, most: number];

interface Profile {
  readonly keys: Range;
  readonly buckets: Range;
  readonly recordsPerPartition: Range;
  readonly faults: Range;
  /** How readily a fault of the budget happens. */
  readonly faultWeight: number;
  readonly losses: Range;
  readonly steps: Range;
  readonly flushAgesMs: readonly number[];
  readonly frameRecordsMax: readonly number[];
  /** Writes that a loss of the store takes back, at most. */
  readonly lossDepthMax: number;
  /**
   * Steps until the store has to have lost something, if not before: losses come when there is something to lose, and
   * part of the records only after them. 0: losses come at any time.
   */
  readonly stepsBeforeLossMax: number;
  /** How readily units close and move outside of the budget of faults; without: within it. */
  readonly closeWeights?: readonly number[];
  /** The same of leases that are taken away. */
  readonly forceWeights?: readonly number[];
  /** How many of those to whom a named unit moves end at once. */
  readonly targetEndsRatio?: number;
  /** How much rarer than otherwise these steps are, until the faults stop. */
  readonly slowed: Readonly<Record<string, number>>;
  /** The same at every second node alone. */
  readonly slowedOfSecond?: Readonly<Record<string, number>>;
}

/** What the profiles have in common that have one thing happen all the time, and little else. */
const aimed = {
  buckets: [1, 2],
  recordsPerPartition: [6, 30],
  faultWeight: 0.05,
  losses: [0, 1],
  steps: [300, 900],
  flushAgesMs: [3],
  frameRecordsMax: [1, 3],
  lossDepthMax: 12,
  stepsBeforeLossMax: 0,
  slowed: {},
} satisfies Partial<Profile>;

const profiles: Readonly<Record<ProfileName, Profile>> = {
  mixed: {
    keys: [1, 4],
    buckets: [1, 4],
    recordsPerPartition: [3, 10],
    faults: [3, 27],
    faultWeight: 0.05,
    losses: [0, 2],
    steps: [100, 599],
    flushAgesMs: [3, 3, 30],
    frameRecordsMax: [3],
    lossDepthMax: 12,
    stepsBeforeLossMax: 0,
    slowed: {},
  },
  focus: {
    keys: [2, 6],
    buckets: [1, 3],
    recordsPerPartition: [10, 40],
    faults: [2, 10],
    faultWeight: 0.008,
    losses: [1, 2],
    steps: [50, 300],
    flushAgesMs: [3, 25, 100],
    frameRecordsMax: [2, 4, 8],
    lossDepthMax: 40,
    stepsBeforeLossMax: 2_000,
    closeWeights: [0.02, 0.1, 0.4],
    slowed: {},
  },
  late: {
    keys: [1, 4],
    buckets: [1, 2],
    recordsPerPartition: [4, 16],
    faults: [6, 30],
    faultWeight: 0.05,
    losses: [1, 2],
    steps: [100, 400],
    flushAgesMs: [3, 25],
    frameRecordsMax: [2, 3],
    lossDepthMax: 40,
    stepsBeforeLossMax: 700,
    closeWeights: [0.02, 0.1, 0.4],
    slowed: { notice: 0.03, commitOffset: 0.1, markEverywhere: 0.3, tick: 0.3 },
  },
  forced: {
    ...aimed,
    keys: [1, 3],
    faults: [2, 10],
    forceWeights: [0.03, 0.1],
    slowedOfSecond: { notice: 0.03 },
  },
  voided: {
    ...aimed,
    keys: [1, 2],
    faults: [3, 20],
    closeWeights: [0.1, 0.3],
    targetEndsRatio: 0.4,
    slowed: { moved: 0.1, round: 0.1, storeRow: 0.2, answerRow: 0.02 },
  },
};

/** All that a seed decides before the first step. */
export interface Plan {
  readonly profile: ProfileName;
  readonly nodes: number;
  readonly keys: readonly string[];
  /** Values of the records, per partition: see `countingJob` for what they mean. */
  readonly partitions: readonly (readonly string[])[];
  readonly buckets: ReadonlySet<number>;
  readonly faults: number;
  readonly faultWeight: number;
  readonly losses: number;
  /** Steps before the faults stop; a late loss of the store begins the count anew. */
  readonly steps: number;
  readonly stepsBeforeLossMax: number;
  readonly flushAgeMs: number;
  readonly frameRecordsMax: number;
  readonly lossDepthMax: number;
  readonly releaseRetryMs: number;
  readonly moveAsksMax: number;
  /** How readily units are closed for being idle, outside of the budget of faults; 0 for within it. */
  readonly closeWeight: number;
  readonly forceWeight: number;
  readonly targetEndsRatio: number;
  /** Markers that have to be written before the store loses something; 0 for any time. */
  readonly marksBeforeLoss: number;
  /** Records of each partition that may be read before the last loss. */
  readonly readableBeforeLoss: readonly number[];
  readonly slowed: Readonly<Record<string, number>>;
  readonly slowedOfSecond: Readonly<Record<string, number>>;
}

export function drawPlan(rng: Rng, name: ProfileName): Plan {
  const profile = profiles[name];
  const between = ([least, most]: Range) => least + randomBelow(rng, most - least + 1);
  const oneOf = (values: readonly number[]) => values[randomBelow(rng, values.length)]!;
  const keys = drawKeys(rng, between(profile.keys), between(profile.buckets));
  const partitions = Array.from({ length: 2 }, () =>
    Array.from({ length: between(profile.recordsPerPartition) }, () => drawValue(rng, keys)),
  );
  const middle = profile.stepsBeforeLossMax > 0;
  return {
    profile: name,
    slowed: profile.slowed,
    slowedOfSecond: profile.slowedOfSecond ?? {},
    nodes: between([2, 3]),
    keys,
    partitions,
    buckets: new Set(keys.map(bucketOfKey)),
    faults: between(profile.faults),
    faultWeight: profile.faultWeight,
    losses: between(profile.losses),
    steps: between(profile.steps),
    stepsBeforeLossMax: profile.stepsBeforeLossMax,
    flushAgeMs: oneOf(profile.flushAgesMs),
    frameRecordsMax: oneOf(profile.frameRecordsMax),
    lossDepthMax: profile.lossDepthMax,
    releaseRetryMs: oneOf([5, 25]),
    moveAsksMax: oneOf([1, 3]),
    closeWeight: profile.closeWeights === undefined ? 0 : oneOf(profile.closeWeights),
    forceWeight: profile.forceWeights === undefined ? 0 : oneOf(profile.forceWeights),
    targetEndsRatio: profile.targetEndsRatio ?? 0,
    marksBeforeLoss: middle ? between([4, 30]) : 0,
    readableBeforeLoss: partitions.map(({ length }) =>
      middle ? Math.ceil((length * between([50, 100])) / 100) : length,
    ),
  };
}

function drawValue(rng: Rng, keys: readonly string[]): string {
  const key = keys[randomBelow(rng, keys.length)]!;
  const kind = randomBelow(rng, 20);
  if (kind === 0) return '?';
  if (kind === 1) return '-';
  if (kind === 2) return `${key}?`;
  return kind < 8 ? `${key}!` : key;
}
