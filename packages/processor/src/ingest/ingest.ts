import { assert, hashUnit, type PartitionId, type ShardRef, unitHashOut } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import type { Frame, Return } from '../frame.ts';
import { deadLetterHeaders } from '../holder/applier.ts';
import { OutputBuffer } from '../holder/output-buffer.ts';
import type { Job, KeyLocator } from '../job.ts';
import type { LeaseView } from '../lease-view.ts';
import { defaultRecordLimits, type RecordLimits } from '../limits.ts';
import { PartitionBook } from '../partition-book.ts';
import type { RecordBatch } from '../record-batch.ts';
import { RecordBlockReader } from '../record-block.ts';
import { FrameBuilder, hasUnit } from './frame-builder.ts';
import { IngestStream, SentFrame } from './ingest-stream.ts';
import { type ParkedUnit, Parking } from './parking.ts';
import { PartitionReading } from './partition-reading.ts';

export interface IngestOptions {
  readonly self: ShardRef;
  readonly job: Job;
  readonly leases: LeaseView;
  readonly deadLetterTopic: string;
  readonly limits?: RecordLimits;
  readonly counters?: RecordCounters;
}

/** The answer of `route` when the reading was changed: the batch is void, read again from `position`. */
export const readingChanged = -1;

/**
 * The ingest: routes what it reads to holders, goes back when it must, and knows what is durable (PROTOCOL.md 3, 4).
 * Pure and synchronous: batches, returns, table changes and time come in; frames, wishes and watermarks are taken out.
 */
export class Ingest {
  readonly #self: ShardRef;
  readonly #job: Job;
  readonly #leases: LeaseView;
  readonly #limits: RecordLimits;
  readonly #counters: RecordCounters;
  readonly #deadLetterTopic: string;
  readonly #book = new PartitionBook();
  readonly #partitions = new Map<number, PartitionReading>();
  readonly #streams = new Map<string, IngestStream>();
  readonly #wanted = new Map<string, ShardRef>();
  readonly #parking = new Parking();
  readonly #reader = new RecordBlockReader();
  readonly outputs = new OutputBuffer();
  #acquire: number[] = [];
  #uncleanSeen: number;
  #generationSeen: number;
  #readings = 0;
  #incarnations = 0;
  /** Table index of the routing under way: read before any lookup (see #refresh). */
  #index = 0;
  #lastStream: IngestStream | null = null;

  constructor(options: IngestOptions) {
    this.#self = options.self;
    this.#job = options.job;
    this.#leases = options.leases;
    this.#limits = options.limits ?? defaultRecordLimits;
    this.#counters = options.counters ?? new RecordCounters();
    this.#deadLetterTopic = options.deadLetterTopic;
    this.#uncleanSeen = options.leases.uncleanCount();
    this.#generationSeen = options.leases.generationIndex();
  }

  get parkedCount(): number {
    return this.#parking.count;
  }

  get parkedBytes(): number {
    return this.#parking.bytes;
  }

  get framesInFlight(): number {
    let n = 0;
    for (const stream of this.#streams.values()) n += stream.unsettled.length;
    return n;
  }

  // Partitions (3.1, 3.2)

  /** Begins a partition at `start`: everything below it is durable. */
  startPartition(topic: string, id: PartitionId, leaseEpoch: number, start: number): PartitionReading {
    const slot = this.#book.slot(id);
    assert(!this.#partitions.has(slot), `partition ${id.partition} is being read already`);
    const reading = new PartitionReading(topic, id, slot, leaseEpoch, ++this.#readings, start);
    this.#partitions.set(slot, reading);
    return reading;
  }

  /** Routes and commits nothing more of a partition. */
  losePartition(reading: PartitionReading): void {
    if (this.#partitions.get(reading.slot) !== reading) return;
    this.#partitions.delete(reading.slot);
    this.#dropPending(reading);
    reading.lost = true;
  }

  partitions(): Iterable<PartitionReading> {
    return this.#partitions.values();
  }

  /**
   * Takes notice of unclean ends and generation entries before anything is routed or counted under a later index.
   * An unclean end sends every partition back to its first offset not known durable; a generation entry voids all
   * that is known, so all partitions are lost here and must be started anew from their least markers.
   */
  catchUp(): void {
    if (this.#leases.generationIndex() !== this.#generationSeen) {
      this.#generationSeen = this.#leases.generationIndex();
      this.#uncleanSeen = this.#leases.uncleanCount();
      for (const reading of [...this.#partitions.values()]) this.losePartition(reading);
      return;
    }
    const unclean = this.#leases.uncleanCount();
    if (unclean === this.#uncleanSeen) return;
    this.#counters.uncleanEndsSeen += unclean - this.#uncleanSeen;
    this.#uncleanSeen = unclean;
    for (const reading of this.#partitions.values()) this.#goBack(reading);
  }

  #goBack(reading: PartitionReading): void {
    const start = this.durableWatermark(reading);
    this.#dropPending(reading);
    reading.reading = ++this.#readings;
    if (start < reading.position) this.#counters.rewinds++;
    reading.position = start;
  }

  #dropPending(reading: PartitionReading): void {
    reading.frames = [];
    reading.deadLetters = [];
    this.#parking.dropPartition(reading);
    for (const stream of this.#streams.values()) delete stream.builders[reading.slot];
  }

  /** The offset before the first pending record (3.3). Never falls. */
  durableWatermark(reading: PartitionReading): number {
    let least = reading.position;
    const { frames } = reading;
    let kept = 0;
    for (const frame of frames) {
      if (frame.durable) continue;
      frames[kept++] = frame;
      if (frame.firstOffset < least) least = frame.firstOffset;
    }
    frames.length = kept;
    for (const stream of this.#streams.values()) {
      const builder = stream.builders[reading.slot];
      if (builder !== undefined && builder.count > 0 && builder.firstOffset < least) least = builder.firstOffset;
    }
    least = Math.min(least, this.#parking.leastOffset(reading));
    reading.deadLetters = reading.deadLetters.filter(({ output }) => output > this.outputs.acked);
    for (const { offset } of reading.deadLetters) if (offset < least) least = offset;
    assert(least >= reading.durable, `watermark fell from ${reading.durable} to ${least}`);
    reading.durable = least;
    return least;
  }

  /** True when nothing of the partition is pending. */
  idle(reading: PartitionReading): boolean {
    return this.durableWatermark(reading) === reading.position;
  }

  // Routing

  /**
   * Routes rows of a batch that was read in reading `number`, from `row` on. Returns the next row to route: `batch.count` when all are, less when the
   * partition must pause (a bound is reached; try again after returns), `readingChanged` when the batch is void.
   */
  route(
    reading: PartitionReading,
    number: number,
    batch: RecordBatch,
    row: number,
    locator: KeyLocator,
    nowMs: number,
  ): number {
    if (!this.#refresh(reading, number)) return readingChanged;
    const { offsets, valueStarts, valueEnds, timestampsUnixMs, bytes } = batch;
    for (; row < batch.count; row++) {
      const offset = offsets[row]!;
      if (offset < reading.position) continue;
      const start = valueStarts[row]!;
      const verdict = start < 0 ? 1 : locator.locate(bytes, start, valueEnds[row]!);
      if (verdict === 0) {
        hashUnit(locator.keyBytes, locator.keyStart, locator.keyEnd);
        const { hi, lo } = unitHashOut;
        let stream = this.#destination(hi, lo);
        if (stream === 'changed') {
          if (!this.#refresh(reading, number)) return readingChanged;
          stream = this.#destination(hi, lo);
          // The grant is seen before its index is: its records wait for that rather than this thread.
          if (stream === 'changed') stream = null;
        }
        if (stream === 'blocked') return row;
        if (stream === null) {
          if (this.#parkingFull()) return row;
          this.#park(reading, hi, lo, offset, timestampsUnixMs[row]!, locator, bytes, start, valueEnds[row]!, nowMs);
        } else {
          this.#append(
            stream,
            reading,
            hi,
            lo,
            offset,
            timestampsUnixMs[row]!,
            locator.keyBytes,
            locator.keyStart,
            locator.keyEnd,
            bytes,
            start,
            valueEnds[row]!,
            nowMs,
          );
        }
      } else if (verdict === 1) this.#counters.recordsSkipped++;
      else this.#deadLetter(reading, offset, locator.reason, bytes, start, valueEnds[row]!);
      reading.position = offset + 1;
      if (offset > reading.routedMax) reading.routedMax = offset;
      else this.#counters.recordsReplayed++;
    }
    if (batch.nextOffset > reading.position) reading.position = batch.nextOffset;
    return row;
  }

  /**
   * Reads the table's index, then looks for ends up to it: in this order, so that no end at or below the index that frames
   * will carry goes unnoticed. False when the reading has changed.
   */
  #refresh(reading: PartitionReading, number: number): boolean {
    this.#index = this.#leases.tableIndex();
    this.catchUp();
    return !reading.lost && reading.reading === number;
  }

  /** The stream for a unit; null: park its records; 'blocked': pause; 'changed': the table is newer than our index. */
  #destination(hi: number, lo: number): IngestStream | null | 'blocked' | 'changed' {
    if (this.#parking.unitCount > 0 && this.#parking.get(hi, lo) !== null) return null;
    const leases = this.#leases;
    if (!leases.lookup(hi, lo)) return null;
    if (leases.epoch - leases.epochBase() > this.#index) return 'changed';
    const stream = this.#stream(leases.session, leases.shard);
    if (stream === null || this.#mustWait(stream, hi, lo, leases.epoch - leases.epochBase())) return null;
    return this.#full(stream) ? 'blocked' : stream;
  }

  #stream(session: number, shard: number): IngestStream | null {
    const last = this.#lastStream;
    if (last !== null && !last.ended && last.id.to.session === session && last.id.to.shard === shard) return last;
    const key = `${session}/${shard}`;
    const stream = this.#streams.get(key);
    if (stream === undefined) {
      if (!this.#wanted.has(key)) this.#wanted.set(key, { session, shard } as ShardRef);
      return null;
    }
    this.#lastStream = stream;
    return stream;
  }

  /** PROTOCOL.md 4.1 and 4.3: unsettled elsewhere, or refused here and not all settled since. */
  #mustWait(stream: IngestStream, hi: number, lo: number, grantIndex: number): boolean {
    if (stream.holds.size > 0) {
      const frame = stream.holds.get(hi, lo);
      if (frame > stream.settled) return true;
      if (frame >= 0) stream.holds.delete(hi, lo);
    }
    for (const other of this.#streams.values()) {
      if (other === stream || (other.unsettled.length === 0 && other.builders.length === 0)) continue;
      // Whatever was routed under a table that had this grant already went to this holder.
      if (other.leastTableIndex() >= grantIndex) continue;
      if (other.hasUnsettled(hi, lo)) return true;
    }
    return false;
  }

  #full(stream: IngestStream): boolean {
    return (
      stream.unsettled.length >= this.#limits.framesInFlightMax ||
      stream.unsettledBytes >= this.#limits.bytesInFlightMax
    );
  }

  #parkingFull(): boolean {
    return this.#parking.count >= this.#limits.parkedRecordsMax || this.#parking.bytes >= this.#limits.parkedBytesMax;
  }

  #park(
    partition: PartitionReading,
    hi: number,
    lo: number,
    offset: number,
    timeUnixMs: number,
    key: { keyBytes: Uint8Array; keyStart: number; keyEnd: number },
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    nowMs: number,
  ): void {
    const keyLength = key.keyEnd - key.keyStart;
    const hasValue = valueStart >= 0;
    const bytes = new Uint8Array(keyLength + (hasValue ? valueEnd - valueStart : 0));
    bytes.set(key.keyBytes.subarray(key.keyStart, key.keyEnd));
    if (hasValue) bytes.set(value.subarray(valueStart, valueEnd), keyLength);
    const unit = this.#parking.add(hi, lo, { partition, offset, timeUnixMs, bytes, keyLength, hasValue });
    if (unit.askedAtMs === Number.NEGATIVE_INFINITY && !this.#leases.lookup(hi, lo)) this.#ask(unit, nowMs);
  }

  #ask(unit: ParkedUnit, nowMs: number): void {
    unit.askedAtMs = nowMs;
    this.#acquire.push(unit.hi, unit.lo);
  }

  #append(
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
    nowMs: number,
  ): void {
    let builder = stream.builders[reading.slot];
    if (builder === undefined) stream.builders[reading.slot] = builder = new FrameBuilder(stream, reading);
    const { block } = builder;
    // A frame says the index that all of its records were looked up under; a later grant begins another frame.
    const grantIndex = this.#leases.epoch - this.#leases.epochBase();
    if (block.count > 0 && (grantIndex > builder.tableIndex || !block.fits(offset))) this.#flush(builder);
    if (block.count === 0) {
      builder.tableIndex = this.#index;
      builder.startedMs = nowMs;
    }
    builder.noteUnit(hi, lo, offset);
    block.append(hi, lo, offset, timeUnixMs, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd);
    if (block.count >= this.#limits.frameRecordsMax || block.length >= this.#limits.frameBytesMax) this.#flush(builder);
  }

  #flush(builder: FrameBuilder): void {
    const { stream, partition, block } = builder;
    if (block.count === 0) return;
    const units = builder.takeUnits();
    const frame: Frame = {
      number: ++stream.sent,
      tableIndex: builder.tableIndex,
      reading: partition.reading,
      refusalSeen: stream.refusalSeen,
      topic: partition.topic,
      partition: partition.id,
      durableWatermark: partition.durable,
      baseOffset: block.baseOffset,
      baseTimeUnixMs: block.baseTimeUnixMs,
      count: block.count,
      block: block.finish(),
    };
    const sent = new SentFrame(frame, units, partition, builder.firstOffset);
    stream.unsettled.push(sent);
    stream.unsettledBytes += frame.block.length;
    stream.outbox.push(frame);
    partition.frames.push(sent);
    if (stream.local) this.#counters.recordsLocal += frame.count;
    else this.#counters.recordsForwarded += frame.count;
  }

  /** Sends off frames that have waited for `ageMs`. */
  flushAged(nowMs: number, ageMs: number): void {
    for (const stream of this.#streams.values()) {
      for (const builder of stream.builders) {
        if (builder !== undefined && builder.count > 0 && nowMs - builder.startedMs >= ageMs) this.#flush(builder);
      }
    }
  }

  /** True when time alone may make something due: a frame is being built, or records are parked. */
  get restless(): boolean {
    if (this.#parking.unitCount > 0) return true;
    for (const { builders } of this.#streams.values()) {
      for (const builder of builders) if (builder !== undefined && builder.count > 0) return true;
    }
    return false;
  }

  /** Sends off what is being built for this very shard. */
  flushLocal(): void {
    for (const stream of this.#streams.values()) {
      if (!stream.local) continue;
      for (const builder of stream.builders) if (builder !== undefined) this.#flush(builder);
    }
  }

  #deadLetter(
    reading: PartitionReading,
    offset: number,
    reason: string,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    const headers = deadLetterHeaders(this.#job, reading.topic, reading.id.partition, offset, reason);
    this.outputs.publish(this.#deadLetterTopic, null, bytes.slice(start, end), headers);
    reading.deadLetters.push({ offset, output: this.outputs.emitted });
    this.#counters.recordsDead++;
  }

  // Parked records

  /** Sends on what can go now; asks (again) for what nobody holds. */
  retryParked(nowMs: number): void {
    if (this.#parking.unitCount === 0) return;
    this.#index = this.#leases.tableIndex();
    this.catchUp();
    for (const unit of this.#parking) {
      if (!this.#leases.lookup(unit.hi, unit.lo)) {
        if (nowMs - unit.askedAtMs >= this.#limits.acquireRetryMs) this.#ask(unit, nowMs);
        continue;
      }
      const grantIndex = this.#leases.epoch - this.#leases.epochBase();
      if (grantIndex > this.#index) continue;
      const stream = this.#stream(this.#leases.session, this.#leases.shard);
      if (stream === null || this.#full(stream) || this.#mustWait(stream, unit.hi, unit.lo, grantIndex)) continue;
      for (const { partition, offset, timeUnixMs, bytes, keyLength, hasValue } of unit.records) {
        const valueStart = hasValue ? keyLength : -1;
        this.#append(
          stream,
          partition,
          unit.hi,
          unit.lo,
          offset,
          timeUnixMs,
          bytes,
          0,
          keyLength,
          bytes,
          valueStart,
          bytes.length,
          nowMs,
        );
      }
      this.#parking.remove(unit);
    }
  }

  /** Units to ask the leader for, as (hi, lo) pairs. */
  takeAcquires(): Uint32Array | null {
    if (this.#acquire.length === 0) return null;
    const units = Uint32Array.from(this.#acquire);
    this.#acquire = [];
    return units;
  }

  // Streams (4)

  /** Holders that records wait for and no stream leads to. */
  takeWantedStreams(): ShardRef[] {
    const wanted = [...this.#wanted.values()];
    this.#wanted.clear();
    return wanted;
  }

  openStream(to: ShardRef): IngestStream {
    const key = `${to.session}/${to.shard}`;
    assert(!this.#streams.has(key), `a stream to ${key} is open`);
    const local = to.session === this.#self.session && to.shard === this.#self.shard;
    const stream = new IngestStream({ from: this.#self, to, incarnation: ++this.#incarnations }, local);
    this.#streams.set(key, stream);
    return stream;
  }

  streams(): Iterable<IngestStream> {
    return this.#streams.values();
  }

  /** Everything sent on it and not known durable is read and sent again (4.1). */
  onStreamEnd(stream: IngestStream): void {
    if (stream.ended) return;
    stream.ended = true;
    this.#streams.delete(`${stream.id.to.session}/${stream.id.to.shard}`);
    if (this.#lastStream === stream) this.#lastStream = null;
    const affected = new Set<PartitionReading>();
    for (const sent of [...stream.unsettled, ...stream.undurable]) {
      if (!sent.durable && sent.current) affected.add(sent.partition);
    }
    for (const builder of stream.builders)
      if (builder !== undefined && builder.count > 0) affected.add(builder.partition);
    for (const reading of affected) {
      if (reading.lost) continue;
      // Its builders went with the stream, so the watermark must not pass what was in them.
      this.#goBackFrom(reading, stream);
    }
  }

  #goBackFrom(reading: PartitionReading, ended: IngestStream): void {
    const builder = ended.builders[reading.slot];
    if (builder !== undefined && builder.count > 0) reading.position = Math.min(reading.position, builder.firstOffset);
    this.#goBack(reading);
  }

  onReturn(stream: IngestStream, message: Return, nowMs: number): void {
    if (stream.ended) return;
    stream.deferred.push(message);
    this.#continueReturns(stream, nowMs);
  }

  /** The table has moved: returns that named its new index count now. */
  onTableAdvanced(nowMs: number): void {
    this.catchUp();
    for (const stream of this.#streams.values()) this.#continueReturns(stream, nowMs);
  }

  #continueReturns(stream: IngestStream, nowMs: number): void {
    while (stream.deferred.length > 0 && !stream.ended) {
      const message = stream.deferred[0]!;
      if (message.kind !== 'applied' && message.tableIndex > this.#leases.tableIndex()) return;
      stream.deferred.shift();
      if (message.kind === 'applied') stream.settle(message.frame);
      else {
        this.catchUp();
        if (message.kind === 'refused') this.#onRefused(stream, message.number, message.frame, message.units, nowMs);
        else stream.markDurable(message.frame);
      }
    }
  }

  #onRefused(stream: IngestStream, number: number, frameNumber: number, units: Uint32Array, nowMs: number): void {
    // What is being built would otherwise carry the news of this refusal ahead of the refused records.
    for (const builder of stream.builders) if (builder !== undefined) this.#flush(builder);
    stream.refusalSeen = number;
    for (let i = 0; i < units.length; i += 2) stream.holds.set(units[i]!, units[i + 1]!, stream.sent);
    const sent = stream.unsettled.find(({ frame }) => frame.number === frameNumber);
    if (sent === undefined || !sent.current) return;
    const { frame } = sent;
    const reader = this.#reader.open(frame.block, frame.baseOffset, frame.baseTimeUnixMs);
    const key = { keyBytes: frame.block, keyStart: 0, keyEnd: 0 };
    while (reader.next()) {
      if (!hasUnit(units, units.length / 2, reader.hi, reader.lo)) continue;
      this.#counters.recordsRefused++;
      key.keyStart = reader.keyStart;
      key.keyEnd = reader.keyEnd;
      this.#park(
        sent.partition,
        reader.hi,
        reader.lo,
        reader.offset,
        reader.timeUnixMs,
        key,
        frame.block,
        reader.valueStart,
        reader.valueEnd,
        nowMs,
      );
    }
  }
}
