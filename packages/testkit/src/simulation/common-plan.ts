import type { CompactionRule } from '@holdfast/engine';
import type { LeaseOptions } from '@holdfast/lease';
import type { NodeId, Unit } from '@holdfast/model';

/** What every simulation of a cluster decides before the first event. */
export interface CommonPlan {
  readonly nodeIds: readonly NodeId[];
  /** Those that found the cluster; the others join it. */
  readonly founders: readonly NodeId[];
  readonly shardsPerNode: number;
  readonly units: readonly Unit[];
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  /** The kinds that this history has, and how likely each is. */
  readonly weights: ReadonlyMap<string, number>;
  /** Voters that may lose their disk or their vote in all: never a majority. */
  readonly votersLostMax: number;
  readonly compaction: Partial<CompactionRule>;
  readonly lease: Partial<LeaseOptions>;
  /** Speeds of clocks are drawn from 1 - this to 1 + this. */
  readonly clockDriftRatio: number;
  readonly storeHighestEpoch: number;
}
