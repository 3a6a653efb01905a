import type { BackupStore, Log, TopicInfo } from '@holdfast/engine';

/** As much of the log as a leader reads. */
export type LeaderLog = Pick<Log, 'describe'>;
/** As much of the store as a leader reads. */
export type LeaderStore = Pick<BackupStore, 'generationId' | 'highestEpoch'>;

/** What the world has of store and log beside the nodes, and what is done to it. */
export interface OutsideWorld {
  /** The store doesn't answer until then. */
  downUntilMs: number;
  /** Of the store as it is now. */
  readonly generationId: string;
  readonly topics: readonly TopicInfo[];
  /** Another store is in its place, an empty one. @returns its generation */
  wipe(): string;
  setTopic(topic: string, partitions: number): void;
}
