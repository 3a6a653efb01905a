import { UnitMap } from '@holdfast/model';
import type { Frame, Return, StreamId } from '../frame.ts';
import type { FrameBuilder } from './frame-builder.ts';
import type { PartitionReading } from './partition-reading.ts';

/** A frame that was sent and is not yet known durable. */
export interface SentFrame {
  readonly frame: Frame;
  /** hi, lo pairs, one per record, in block order. */
  readonly units: Uint32Array;
  readonly partition: PartitionReading;
  /** The reading it belongs to: when the partition has gone back since, the frame counts for nothing. */
  readonly reading: number;
  /** Least offset of its records. */
  readonly firstOffset: number;
  durable: boolean;
}

/** The ingest's side of one stream to a holder (PROTOCOL.md 4). */
export class IngestStream {
  readonly id: StreamId;
  /** Frames sent. */
  sent = 0;
  /** All frames up to this one are settled. */
  settled = 0;
  /** Highest refusal seen. */
  refusalSeen = 0;
  /** Sent, not settled: oldest first. Their blocks are kept, since records may come back. */
  readonly unsettled: SentFrame[] = [];
  /** Settled, not durable: oldest first. */
  readonly undurable: SentFrame[] = [];
  unsettledBytes = 0;
  /** Refused units: nothing of them may be sent here before the frame with this number is settled (4.3). */
  readonly holds = new UnitMap(16);
  /** Frames being built, by partition slot. */
  readonly builders: (FrameBuilder | undefined)[] = [];
  /** Frames to hand to the transport. */
  readonly outbox: Frame[] = [];
  /** Returns that name a table index which this process hasn't reached yet, and all behind them. */
  readonly deferred: Return[] = [];
  /** The holder is this very shard. */
  readonly local: boolean;
  ended = false;

  constructor(id: StreamId, local: boolean) {
    this.id = id;
    this.local = local;
  }

  /** Least table index of what is under way here: a unit granted no later can't be under way to anyone else. */
  leastTableIndex(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { frame } of this.unsettled) if (frame.tableIndex < least) least = frame.tableIndex;
    for (const builder of this.builders) {
      if (builder !== undefined && builder.count > 0 && builder.tableIndex < least) least = builder.tableIndex;
    }
    return least;
  }
}
