import type { Frame, Return, StreamId } from '../frame.ts';
import { type FrameBuilder, hasUnit } from './frame-builder.ts';
import type { PartitionReading } from './partition-reading.ts';
import type { UnitWait } from './pause-meter.ts';
import { UndurableFrames } from './undurable-frames.ts';
import type { UnitFilter } from './unit-filter.ts';
import { UnitHolds } from './unit-holds.ts';

/** A frame that was sent and is not settled. */
export class SentFrame {
  readonly frame: Frame;
  /** hi, lo pairs, one per record, in block order. */
  readonly units: Uint32Array;
  /** Of `units`. */
  readonly filter: UnitFilter;
  readonly partition: PartitionReading;
  /** Least offset of its records. */
  readonly firstOffset: number;

  constructor(frame: Frame, units: Uint32Array, filter: UnitFilter, partition: PartitionReading, firstOffset: number) {
    this.frame = frame;
    this.units = units;
    this.filter = filter;
    this.partition = partition;
    this.firstOffset = firstOffset;
  }

  /** False when its partition has gone back since, or is lost: the frame counts for nothing then. */
  get current(): boolean {
    return this.frame.reading === this.partition.reading && !this.partition.lost;
  }
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
  /** What is settled and not durable of each partition's present reading, by partition slot. */
  readonly undurable: (UndurableFrames | undefined)[] = [];
  /** Bytes of their blocks, and of those that are being built. */
  unsettledBytes = 0;
  /** Units whose records had come back and left again, the last in this frame: since when they waited. */
  readonly waits: { readonly frame: number; readonly units: UnitWait[] }[] = [];
  /** Refused units. */
  readonly holds = new UnitHolds();
  /** Frames being built, by partition slot. */
  readonly builders: (FrameBuilder | undefined)[] = [];
  /** Frames to hand to the transport. */
  readonly outbox: Frame[] = [];
  /** Returns that name a table index which this process hasn't reached yet, and all behind them. */
  readonly deferred: Return[] = [];
  /** The holder is this very shard. */
  readonly local: boolean;
  ended = false;
  readonly #runsMax: number;

  /** @param undurableRunsMax see RecordLimits */
  constructor(id: StreamId, local: boolean, undurableRunsMax: number) {
    this.id = id;
    this.local = local;
    this.#runsMax = undurableRunsMax;
  }

  /** All frames up to this one are settled: their records can't come back, so their bytes go. */
  settle(frame: number): void {
    this.settled = Math.max(this.settled, frame);
    let n = 0;
    while (n < this.unsettled.length && this.unsettled[n]!.frame.number <= frame) {
      const sent = this.unsettled[n++]!;
      this.unsettledBytes -= sent.frame.block.length;
      if (sent.current) this.#settled(sent);
    }
    this.unsettled.splice(0, n);
  }

  #settled({ frame, partition: { slot }, firstOffset }: SentFrame): void {
    const frames = this.undurable[slot] ?? new UndurableFrames(this.#runsMax);
    this.undurable[slot] = frames;
    frames.add(frame.number, firstOffset);
  }

  /** All frames up to this one are durable. */
  markDurable(frame: number): void {
    for (const frames of this.undurable) frames?.markDurable(frame);
  }

  /** Least offset of what is here of the partition's present reading, and not known durable; Infinity for nothing. */
  leastOffset(partition: PartitionReading): number {
    let least = this.undurable[partition.slot]?.leastOffset ?? Number.POSITIVE_INFINITY;
    for (const sent of this.unsettled) {
      if (sent.partition === partition && sent.current && sent.firstOffset < least) least = sent.firstOffset;
    }
    const builder = this.builders[partition.slot];
    if (builder !== undefined && builder.count > 0 && builder.firstOffset < least) least = builder.firstOffset;
    return least;
  }

  /** The partition's present reading is over: of what was sent in it, nothing counts any more. */
  dropPending(slot: number): void {
    this.unsettledBytes -= this.builders[slot]?.block.length ?? 0;
    delete this.builders[slot];
    delete this.undurable[slot];
  }

  /** Something sent here in a present reading is not known durable. */
  get owed(): boolean {
    return (
      this.unsettled.some(({ current }) => current) ||
      this.undurable.some((frames) => frames !== undefined && frames.runs > 0)
    );
  }

  /** Something sent here in a present reading is not settled, or something is being built. */
  get isWaiting(): boolean {
    return (
      this.unsettled.some(({ current }) => current) ||
      this.builders.some((builder) => builder !== undefined && builder.count > 0)
    );
  }

  /** Whether records of the unit are under way here, in frames of their partition's present reading or being built. */
  hasUnsettled(hi: number, lo: number): boolean {
    for (const sent of this.unsettled) {
      if (sent.current && sent.filter.mayHave(lo) && hasUnit(sent.units, sent.frame.count, hi, lo)) return true;
    }
    for (const builder of this.builders) if (builder?.hasUnit(hi, lo)) return true;
    return false;
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
