import type { PartitionId, ShardRef } from '@holdfast/model';

/** Identity of one stream from an ingest to a holder (PROTOCOL.md 4.1). */
export interface StreamId {
  readonly from: ShardRef;
  readonly to: ShardRef;
  /** Rises with each stream that the ingest opens to this holder; a lower one is superseded. */
  readonly incarnation: number;
}

/**
 * Records of one partition for one holder (PROTOCOL.md 4.2). `block` is a record block (record-block.ts):
 * offsets relative to `baseOffset`.
 */
export interface Frame {
  /** 1, 2, 3 … within the stream. */
  readonly number: number;
  /** The sender's table index: all records were routed under this table or an older state of theirs. */
  readonly tableIndex: number;
  /** Number of the pass over the partition that the records were read in. */
  readonly reading: number;
  /** Highest refusal of this stream that the sender has seen. */
  readonly refusalSeen: number;
  readonly topic: string;
  readonly partition: PartitionId;
  /** Everything below this offset of the partition is durable. */
  readonly durableWatermark: number;
  readonly baseOffset: number;
  readonly count: number;
  readonly block: Uint8Array;
}

/** What a holder sends back on a stream, in one order (PROTOCOL.md 4.4). */
export type Return =
  /** All frames up to `frame` are settled: each record applied or refused. */
  | { readonly kind: 'applied'; readonly frame: number }
  /** Units (hi, lo pairs) of `frame` were not accepted. */
  | {
      readonly kind: 'refused';
      readonly number: number;
      readonly frame: number;
      readonly tableIndex: number;
      readonly units: Uint32Array;
    }
  /** All records of frames up to `frame` are durable. */
  | { readonly kind: 'durable'; readonly frame: number; readonly tableIndex: number };
