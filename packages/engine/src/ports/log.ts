import type { PartitionId, TopicId } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';

/** A topic as the log knows it. */
export interface TopicInfo {
  readonly topic: string;
  readonly topicId: TopicId;
  readonly partitions: number;
}

/** A record to append. */
export interface NewRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A committed offset: everything below it is durable in the store of that generation. */
export interface CommittedOffset {
  readonly offset: number;
  /** The store's generation when it was committed (PROTOCOL.md 3.1). */
  readonly generation: number;
}

/** One offset to commit. `fence` is the epoch of the partition's lease: a log that can refuses a lower one than it has seen. */
export interface OffsetCommit {
  readonly partition: PartitionId;
  readonly offset: number;
  readonly generation: number;
  readonly fence: number;
}

export type CommitResult = 'ok' | 'fenced';

/**
 * Reads one partition from an offset onward, in order, nothing twice, nothing skipped but what the log itself dropped.
 * One call of `next` at a time.
 */
export interface LogReader {
  /**
   * The next batch, of at most about `bytesMax` bytes (at least one record); null when nothing came within `waitMs`.
   * Only what is durable in the log is given.
   * @throws LogError TOPIC_CHANGED when the topic was deleted or recreated, OFFSET_OUT_OF_RANGE when the offset is gone
   */
  next(bytesMax: number, waitMs: number): Promise<RecordBatch | null>;
  close(): Promise<void>;
}

/**
 * The input and output log: topics of partitions of records, and the offsets that a job has committed.
 * Adapters: the embedded LMDB log, Kafka, and the in-memory twin; all run the testkit's conformance suite.
 */
export interface Log {
  /** Null when there is no such topic. */
  describe(topic: string): Promise<TopicInfo | null>;
  /** Creates a topic, or returns the existing one unchanged. */
  createTopic(topic: string, partitions: number): Promise<TopicInfo>;
  openReader(topic: string, partition: PartitionId, fromOffset: number): Promise<LogReader>;
  /**
   * Appends in order; resolves once durable, with the offset of the first.
   * Repeats after an unclear failure are the caller's risk: outputs carry ids for that.
   * @throws LogError UNKNOWN_TOPIC
   */
  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number>;
  /** Per partition number, for a job's group; null where nothing was committed. */
  committed(group: string, partition: PartitionId): Promise<CommittedOffset | null>;
  /** One result per entry, same order. */
  commit(group: string, commits: readonly OffsetCommit[]): Promise<CommitResult[]>;
  /** The offset that the next appended record will get, per partition. */
  endOffsets(topic: string): Promise<number[]>;
  close(): Promise<void>;
}

export const logErrorCodes = ['UNKNOWN_TOPIC', 'TOPIC_CHANGED', 'OFFSET_OUT_OF_RANGE', 'LOG_CLOSED', 'LOG_IO'] as const;
export type LogErrorCode = (typeof logErrorCodes)[number];

/** Thrown by log adapters; match on `code`. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
