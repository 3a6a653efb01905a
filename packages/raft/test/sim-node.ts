import { emptyRestored, type HardState, type RawNode, type Ready, type Restored } from '../src/index.ts';

/** How bad the world is; drawn from the seed. */
export interface Weather {
  readonly lossRatio: number;
  readonly duplicateRatio: number;
  readonly reorderRatio: number;
  readonly crashRatio: number;
  readonly partitionRatio: number;
  readonly pauseRatio: number;
  readonly changeRatio: number;
  readonly wipeRatio: number;
  readonly trailingEntries: number;
}

/** One member with its driver, its disk and a state machine that hashes what it applies. */
export class SimNode {
  readonly id: string;
  /** Empty at a node that is to join. */
  readonly founders: readonly string[];
  raw: RawNode | null = null;
  disk: Restored = emptyRestored;
  /** What a power cut leaves of the hard state: writes without sync may be undone. */
  syncedHardState: HardState = emptyRestored.hardState;
  ready: Ready | null = null;
  /** How far the driver is with `ready`. */
  phase: 'taken' | 'begun' | 'persisted' | 'sent' = 'taken';
  appliedIndex = 0;
  appliedHash = 0;
  /** Stalled until this event: neither ticks nor work, and messages wait. */
  pausedUntil = 0;
  /** Committed at the time of the question, by open read of this life. */
  readonly reads = new Map<number, number>();

  constructor(id: string, founders: readonly string[]) {
    this.id = id;
    this.founders = founders;
  }
}
