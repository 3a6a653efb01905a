import type { RecordCounters } from '../counters.ts';
import type { Frame } from '../frame.ts';
import type { RecordLimits } from '../limits.ts';
import { FrameBuilder } from './frame-builder.ts';
import { type IngestStream, SentFrame } from './ingest-stream.ts';
import type { ParkedUnit } from './parking.ts';
import type { PartitionReading } from './partition-reading.ts';
import type { StreamTable } from './stream-table.ts';

/** Puts routed records into frames, one builder per stream and partition, and sends them off when full or old enough. */
export class Framer {
  readonly #streams: StreamTable;
  readonly #limits: RecordLimits;
  readonly #counters: RecordCounters;

  constructor(streams: StreamTable, limits: RecordLimits, counters: RecordCounters) {
    this.#streams = streams;
    this.#limits = limits;
    this.#counters = counters;
  }

  /**
   * @param tableIndex read before the record's unit was looked up
   * @param grantIndex of the lease that was found
   */
  append(
    stream: IngestStream,
    reading: PartitionReading,
    hi: number,
    lo: number,
    offset: number,
    timeUnixMs: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
    tableIndex: number,
    grantIndex: number,
    nowMs: number,
  ): void {
    let builder = stream.builders[reading.slot];
    if (builder === undefined) stream.builders[reading.slot] = builder = new FrameBuilder(stream, reading);
    const { block } = builder;
    // A frame says the index that all of its records were looked up under; a later grant begins another frame.
    if (block.count > 0 && (grantIndex > builder.tableIndex || !block.fits(offset))) this.flush(builder);
    if (block.count === 0) {
      builder.tableIndex = tableIndex;
      builder.startedMs = nowMs;
    }
    builder.noteUnit(hi, lo, offset);
    const before = block.length;
    block.append(hi, lo, offset, timeUnixMs, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd);
    stream.unsettledBytes += block.length - before;
    if (block.count >= this.#limits.frameRecordsMax || block.length >= this.#limits.frameBytesMax) this.flush(builder);
  }

  /** Appends parked records of a unit, in order, until the stream is full. @returns how many: one at least */
  appendParked(
    stream: IngestStream,
    { hi, lo, records }: ParkedUnit,
    tableIndex: number,
    grantIndex: number,
    nowMs: number,
  ): number {
    let sent = 0;
    for (const { partition, offset, timeUnixMs, bytes, keyLength, hasValue } of records) {
      // The rest waits where it is counted: a unit may have more than a stream may have in flight.
      if (sent > 0 && this.#streams.isFull(stream)) break;
      const start = hasValue ? keyLength : -1;
      this.append(
        stream,
        partition,
        hi,
        lo,
        offset,
        timeUnixMs,
        bytes,
        0,
        keyLength,
        bytes,
        start,
        bytes.length,
        tableIndex,
        grantIndex,
        nowMs,
      );
      sent++;
    }
    return sent;
  }

  flush(builder: FrameBuilder): void {
    const { stream, partition, block } = builder;
    if (block.count === 0) return;
    const { units, filter } = builder.takeUnits();
    const frame: Frame = {
      number: ++stream.sent,
      tableIndex: builder.tableIndex,
      reading: partition.reading,
      refusalSeen: stream.refusalSeen,
      topic: partition.topic,
      partition: partition.id,
      durableWatermark: partition.durable,
      baseOffset: block.baseOffset,
      count: block.count,
      block: block.finish(),
    };
    stream.unsettled.push(new SentFrame(frame, units, filter, partition, builder.firstOffset));
    stream.outbox.push(frame);
    if (stream.local) this.#counters.recordsLocal += frame.count;
    else this.#counters.recordsForwarded += frame.count;
  }

  /** Sends off frames that have waited for `ageMs`. */
  flushAged(nowMs: number, ageMs: number): void {
    for (const stream of this.#streams) {
      for (const builder of stream.builders) {
        if (builder !== undefined && builder.count > 0 && nowMs - builder.startedMs >= ageMs) this.flush(builder);
      }
    }
  }

  /** Whether a record waits in a frame that is being built. */
  get isBuilding(): boolean {
    for (const { builders } of this.#streams) {
      for (const builder of builders) if (builder !== undefined && builder.count > 0) return true;
    }
    return false;
  }

  /** Sends off what is being built for this very shard. */
  flushLocal(): void {
    for (const stream of this.#streams) {
      if (!stream.local) continue;
      for (const builder of stream.builders) if (builder !== undefined) this.flush(builder);
    }
  }
}
