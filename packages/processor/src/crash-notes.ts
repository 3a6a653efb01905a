import type { PartitionId } from '@holdfast/model';

/**
 * What a shard writes down just before it calls the job, where the end of the process doesn't reach it
 * (PROTOCOL.md 6.2). Synchronous: when a call returns, the note outlives the process (not the machine).
 * A later note takes the place of an earlier one.
 */
export interface CrashNotes {
  /** One of these records is applied next, and so on until the next note. */
  frame(partition: PartitionId, firstOffset: number, lastOffset: number): void;
  /** This record is applied next. */
  record(hi: number, lo: number, partition: PartitionId, offset: number): void;
  /** The job has returned. */
  clear(): void;
  /** A process of this node ended in a frame that held one of these records. */
  isSuspect(partition: PartitionId, firstOffset: number, lastOffset: number): boolean;
}

/** Of a shard whose process is of no consequence: models, and tests of other things. */
export const noCrashNotes: CrashNotes = Object.freeze({
  frame() {},
  record() {},
  clear() {},
  isSuspect: () => false,
});
