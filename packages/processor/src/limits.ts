/** Longest key of a record, in bytes: keys are in rows, leases and frames. A longer one is a dead letter. */
export const keyBytesMax = 1_024;

/** The named limits of the record path. Each queue has one, and an answer for when it is reached. */
export interface RecordLimits {
  /** Records in a frame. More only lowers the cost per record slightly (measured: flat beyond 256). */
  readonly frameRecordsMax: number;
  /** Bytes at which a frame's block is full: the record that reaches them is its last. */
  readonly frameBytesMax: number;
  /**
   * Key and value of a record. A larger one is a dead letter: the transport takes no frame over 4 MiB, so the stream that
   * it is sent on would end again and again.
   */
  readonly recordBytesMax: number;
  /** Frames of one stream that are not acknowledged as applied; when reached, its partitions pause. */
  readonly framesInFlightMax: number;
  /** Bytes of those frames, and of what is being built for the same holder. */
  readonly bytesInFlightMax: number;
  /**
   * What a holder takes of one stream beyond these two before it ends it. A sender may be over them by the frames that it
   * had begun when they were reached, one for each of its partitions, and by what its own configuration allows more.
   */
  readonly framesOverMax: number;
  /** Bytes of those frames. */
  readonly bytesOverMax: number;
  /**
   * Runs of frames of one stream and partition that are applied and not known durable; when reached, neighbours are joined,
   * and the watermark follows in larger steps. With fewer than 8 it may not follow at all under load.
   */
  readonly undurableRunsMax: number;
  /** Records parked for want of a holder; when reached, the partition that brings more pauses. */
  readonly parkedRecordsMax: number;
  readonly parkedBytesMax: number;
  /** A parked unit is asked for again after this long. */
  readonly acquireRetryMs: number;
  /** Refused records are sent to the same holder again after this long; to another at once. */
  readonly refusedRetryMs: number;
  /** A closed unit's end is proposed again after this long. */
  readonly releaseRetryMs: number;
  /** So often the move of a unit is proposed; then it is released: whoever reads it asks for a holder. */
  readonly moveAsksMax: number;
  /** Outputs and dead letters that the log hasn't acknowledged; when reached, frames wait in their streams, and partitions pause. */
  readonly outputsUnackedMax: number;
  /** Bytes of those that wait to be sent. */
  readonly outputBytesMax: number;
}

export const defaultRecordLimits: RecordLimits = {
  frameRecordsMax: 256,
  frameBytesMax: 256 * 1024,
  recordBytesMax: 3 * 1024 * 1024,
  framesInFlightMax: 64,
  bytesInFlightMax: 8 * 1024 * 1024,
  framesOverMax: 16_384,
  bytesOverMax: 64 * 1024 * 1024,
  undurableRunsMax: 256,
  parkedRecordsMax: 65_536,
  parkedBytesMax: 64 * 1024 * 1024,
  acquireRetryMs: 500,
  refusedRetryMs: 20,
  releaseRetryMs: 500,
  moveAsksMax: 3,
  outputsUnackedMax: 65_536,
  outputBytesMax: 64 * 1024 * 1024,
};
