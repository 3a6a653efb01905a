/**
 * Records read from one partition of the log, as columns over one buffer: values and keys stay the raw bytes
 * that the log gave, and nothing is allocated per record. Rows may have offset gaps (compaction, control records).
 */
export interface RecordBatch {
  readonly count: number;
  /** All keys and values lie in here. */
  readonly bytes: Uint8Array;
  readonly offsets: Float64Array;
  /** Append time by the log's clock; NaN when the log keeps none. */
  readonly timestampsUnixMs: Float64Array;
  /** Start of the key in `bytes`; -1 for none. */
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  /** Start of the value in `bytes`; -1 for none (a tombstone). */
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** Where reading goes on: one past the last offset that the batch accounts for. */
  readonly nextOffset: number;
  /**
   * A row's headers, looked for when they are asked for; of a name that repeats, the last. Values that aren't UTF-8 lose
   * what isn't. Absent where no row has any.
   */
  readonly headersOf?: (row: number) => Readonly<Record<string, string>>;
}
