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
  /**
   * The store's generation when it was committed, by the id that the store gives it (PROTOCOL.md 3.1). Null: it vouches
   * for no store, being another tool's, or of a version that committed the generation's number.
   */
  readonly generationId: string | null;
}

/** One offset to commit. `fence` is the epoch of the partition's lease: a log that can refuses a lower one than it has seen. */
export interface OffsetCommit {
  readonly partition: PartitionId;
  readonly offset: number;
  readonly generationId: string;
  readonly fence: number;
}

/** `gone`: there is no such partition of a topic of that identity any more; nothing is kept for it. */
export type CommitResult = 'ok' | 'fenced' | 'gone';

/** A place in a topic: the first records that are kept, the end, or what was appended at a time or later. */
export type TopicPosition = 'earliest' | 'latest' | { readonly timestampUnixMs: number };

/**
 * Reads one partition from an offset onward, in order, nothing twice, nothing skipped but what the log itself dropped.
 * One call of `next` at a time.
 */
export interface LogReader {
  /**
   * The next batch, of at most about `bytesMax` bytes (at least one record); null when nothing came within `waitMs`.
   * A batch without records only moves `nextOffset` on, past what the log holds there for itself (a transaction's
   * marker): the reader has to be told, or it would never count as having read to the end. One with an unchanged
   * `nextOffset` says after a call that failed that the log answers again, and has nothing new: null may also mean that
   * no answer came yet.
   * Only what is durable in the log is given.
   * @throws LogError TOPIC_CHANGED when the topic was deleted or recreated, OFFSET_OUT_OF_RANGE when the offset is gone,
   *   RECORDS_CORRUPT when what is stored can't be read
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
  /**
   * Creates a topic, or returns the existing one unchanged.
   * @throws LogError UNKNOWN_TOPIC where there is none and this log may not create it
   */
  createTopic(topic: string, partitions: number): Promise<TopicInfo>;
  openReader(topic: string, partition: PartitionId, fromOffset: number): Promise<LogReader>;
  /**
   * Appends in order; resolves once durable, with the offset of the first.
   * Repeats after an unclear failure are the caller's risk: outputs carry ids for that.
   * @throws LogError with `appended`, behind which a repetition begins; UNKNOWN_TOPIC; RECORD_TOO_LARGE when the log takes
   *   no record of the size of the one at `appended`: those before it are durable, it and those behind it are not
   */
  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number>;
  /** Per partition number, for a job's group; null where nothing was committed. */
  committed(group: string, partition: PartitionId): Promise<CommittedOffset | null>;
  /**
   * One result per entry, same order: whatever becomes of one, the others are committed. A log that can't check fences answers `ok`: what is committed is durable whoever
   * commits it (PROTOCOL.md 3.4), so an older holder's late commit costs reading again, and nothing else.
   */
  commit(group: string, commits: readonly OffsetCommit[]): Promise<CommitResult[]>;
  /**
   * The highest fence of all commits that it keeps, of whatever group: a cluster that is founded over it begins its epochs
   * above that, or each of its commits would be fenced. 0 where nothing is committed, and of a log that checks no fences.
   */
  highestFence(): Promise<number>;
  /** The offset that the next appended record will get, per partition. */
  endOffsets(topic: string): Promise<number[]>;
  /**
   * Per partition, the offset at which reading begins from a position: of the first record that is kept, of the end, or
   * of the first record appended at the time or later (the end where there is none). Nothing that is appended while this
   * is answered lies before it. Of all partitions, or of those named, in that order: others need not be there to answer.
   * @throws LogError UNKNOWN_TOPIC, also for a partition that the topic doesn't have
   */
  offsetsAt(topic: string, position: TopicPosition, partitions?: readonly number[]): Promise<number[]>;
  close(): Promise<void>;
}

export const logErrorCodes = [
  'UNKNOWN_TOPIC',
  'TOPIC_CHANGED',
  'OFFSET_OUT_OF_RANGE',
  'RECORDS_CORRUPT',
  'RECORD_TOO_LARGE',
  'ACCESS_DENIED',
  'LOG_CLOSED',
  'LOG_IO',
] as const;
export type LogErrorCode = (typeof logErrorCodes)[number];

/** Thrown by log adapters; match on `code`. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  /** Of a failed `append`: so many of its records, from the first on, are known to be durable. */
  readonly appended: number;
  constructor(code: LogErrorCode, text: string, options?: { cause?: unknown; appended?: number }) {
    super(text, options);
    this.code = code;
    this.appended = options?.appended ?? 0;
  }
}
