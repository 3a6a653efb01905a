import type { PartitionId } from '@holdfast/model';

/** A dead letter of the ingest that the log hasn't acknowledged. */
export interface PendingDeadLetter {
  readonly offset: number;
  readonly output: number;
}

/** One partition that is leased to this shard, and the present pass over it (PROTOCOL.md 3). */
export class PartitionReading {
  readonly topic: string;
  readonly id: PartitionId;
  readonly slot: number;
  /** Epoch of the partition's lease: fences its commits. */
  readonly leaseEpoch: number;
  /** Number of the present reading; unique within the shard. */
  reading: number;
  /** Next offset to route. */
  position: number;
  parkedCount = 0;
  deadLetters: PendingDeadLetter[] = [];
  /** Highest offset ever routed, to count replays. */
  routedMax = -1;
  /** Watermark at its last computation: it never falls within a reading. */
  durable: number;
  lost = false;

  constructor(topic: string, id: PartitionId, slot: number, leaseEpoch: number, reading: number, start: number) {
    this.topic = topic;
    this.id = id;
    this.slot = slot;
    this.leaseEpoch = leaseEpoch;
    this.reading = reading;
    this.position = start;
    this.durable = start;
  }
}
