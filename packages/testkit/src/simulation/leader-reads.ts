import type { BackupStore, Log, TopicInfo } from '@holdfast/engine';

/** As much of the log as a leader reads. */
export type LeaderLog = Pick<Log, 'describe' | 'endOffsets' | 'highestFence'>;
/** As much of the store as a leader reads. */
export type LeaderStore = Pick<BackupStore, 'generationId' | 'adopt' | 'highestEpoch' | 'read'>;

/** The store beside the nodes, and what is done to it. */
export interface OutsideStore {
  /** It doesn't answer until then. */
  downUntilMs: number;
  /** Of the store as it is now. */
  readonly generationId: string;
  /** Another one is in its place, an empty one. @returns its generation */
  wipe(): string;
}

/** The log beside the nodes. */
export interface OutsideLog {
  readonly topics: readonly TopicInfo[];
  /** Of the commits that are in it. */
  readonly highestFence: number;
  /** Makes the topic, or gives it more partitions. */
  setTopic(topic: string, partitions: number): unknown;
}
