/**
 * What a job looks like to the record path. The sdk compiles `defineProcessor` to it; the record path knows no other form.
 * All functions are synchronous and deterministic: the same state, record and order give the same state and outputs.
 */

/** Why a record changes no state: skipped on purpose, or a dead letter. The reason is a short code, counted. */
export type Verdict = 'applied' | 'skipped' | 'dead';

/**
 * A state that can't be written, read or copied: its unit is at fault, not the record that is being applied, and not the
 * job as a whole (PROTOCOL.md 5.6).
 */
export class StateFaultError extends Error {
  override readonly name: string = 'StateFaultError';
}

/**
 * The job wants to be stopped at this record, since it can't be answered for that it, or anything after it, is applied: by
 * its author's word (`then: 'stop'`), or because it isn't one that can run here. It ends the shard, and says nothing
 * against the record or its user: their crash note doesn't stand (PROTOCOL.md 6.2).
 */
export class StopWantedError extends Error {
  override readonly name: string = 'StopWantedError';
}

/** A record as its holder sees it. Reused between calls: keep nothing of it. */
export interface JobRecord {
  topic: string;
  partition: number;
  offset: number;
  /** Append time by the log's clock; NaN when unknown. */
  timestampUnixMs: number;
  /** The buffer that holds the value, at [valueStart, valueEnd); -1 start for no value. */
  bytes: Uint8Array;
  valueStart: number;
  valueEnd: number;
}

/** Takes what a handler emits. Emits of a record that fails are taken back by the caller. */
export interface OutputSink {
  /**
   * @param topic the output topic
   * @param key partitioning key, null for none
   * @param value the bytes to publish
   * @param id deterministic: (job, version, topic, partition, offset, n)
   */
  emit(topic: string, key: Uint8Array | null, value: Uint8Array, id: string): void;
}

/**
 * Finds the key of a raw record at the ingest, without parsing more than it must.
 * Result 0: the key is `keyBytes[keyStart, keyEnd)`; 1: skip, 2: dead letter, both with `reason`.
 * A throw is a dead letter too. Fields are valid until the next call.
 */
export interface KeyLocator {
  keyBytes: Uint8Array;
  keyStart: number;
  keyEnd: number;
  reason: string;
  /** The value is `bytes[start, end)`. `start < 0`: the record has no value (a tombstone, not an empty one); it is skipped. */
  locate(bytes: Uint8Array, start: number, end: number): 0 | 1 | 2;
}

/** A compiled job. `S` is its state per user. */
export interface Job<S = unknown> {
  readonly name: string;
  readonly version: string;
  /** Input topics. */
  readonly inputs: readonly string[];
  /** Output topics (dead letters go to the node's own topic, not listed here). */
  readonly outputs: readonly string[];
  /** A unit without records for so long is backed up and released. */
  readonly idleMs: number;
  /** A locator of the key for an input topic; called once per shard and topic. */
  newKeyLocator(topic: string): KeyLocator;
  initialState(key: Uint8Array): S;
  /** Whole state to bytes, with its schema number inside. Throws when the state can't be written: the unit is at fault then. */
  encodeState(state: S): Uint8Array;
  /** Throws `StateFormatError`-like errors on bytes of a version it can't upgrade. */
  decodeState(bytes: Uint8Array): S;
  /**
   * Applies one record to the state of its user, in place. On 'skipped' and 'dead' the state and outputs are untouched,
   * and `failureReason` says why. Throws `StateFaultError` when the state can't be copied before, and `StopWantedError`;
   * whatever else it throws ends the shard too, and counts as an end of the process at this record.
   */
  apply(state: S, key: Uint8Array, record: JobRecord, out: OutputSink): Verdict;
  /** Of the lease under which the next record is applied, set by the holder; a job without it doesn't ask. */
  leaseEpoch?: number;
  /** Reason of the last 'skipped' or 'dead' verdict. */
  failureReason: string;
  /** What an operator sees of a user's state: plain JSON data, fields in contract order. The state stays as it is. */
  view(state: S, key: Uint8Array): unknown;
}
