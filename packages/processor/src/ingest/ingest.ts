import { copyBytes, hashUnit, type PartitionId, type ShardRef, unitHashOut } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import type { Return } from '../frame.ts';
import { deadLetterHeaders, ownHeaderPrefix } from '../holder/applier.ts';
import { OutputBuffer } from '../holder/output-buffer.ts';
import type { Job, KeyLocator } from '../job.ts';
import { isLeasedTo, type LeaseView } from '../lease-view.ts';
import { defaultRecordLimits, keyBytesMax, type RecordLimits } from '../limits.ts';
import type { RecordBatch } from '../record-batch.ts';
import { RecordBlockReader } from '../record-block.ts';
import { hasUnit } from './frame-builder.ts';
import { Framer } from './framer.ts';
import type { IngestStream } from './ingest-stream.ts';
import { locateKey, refusal } from './locate-key.ts';
import { type ParkedUnit, Parking } from './parking.ts';
import type { PartitionReading } from './partition-reading.ts';
import { PauseMeter } from './pause-meter.ts';
import { Readings } from './readings.ts';
import { StreamTable } from './stream-table.ts';

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
 * The ingest: routes what it reads to holders, goes back when it must, knows what is durable (PROTOCOL.md 3, 4). Pure and
 * synchronous: batches, returns, table changes, time come in; frames, wishes and watermarks are taken out.
 */
export class Ingest {
  readonly #job: Job;
  readonly #leases: LeaseView;
  readonly #limits: RecordLimits;
  readonly #counters: RecordCounters;
  readonly #deadLetterTopic: string;
  readonly #streams: StreamTable;
  readonly #framer: Framer;
  readonly #readings: Readings;
  readonly #parking = new Parking();
  readonly #reader = new RecordBlockReader();
  readonly outputs = new OutputBuffer();
  readonly pauses = new PauseMeter();
  #acquire: number[] = [];
  /** Table index of the routing under way: read before any lookup (see #refresh). */
  #index = 0;

  constructor(options: IngestOptions) {
    this.#job = options.job;
    this.#leases = options.leases;
    this.#limits = options.limits ?? defaultRecordLimits;
    this.#counters = options.counters ?? new RecordCounters();
    this.#deadLetterTopic = options.deadLetterTopic;
    this.#streams = new StreamTable(options.self, this.#limits);
    const places = { streams: this.#streams, parking: this.#parking, outputs: this.outputs };
    this.#readings = new Readings(options.leases, this.#counters, places);
    this.#framer = new Framer(this.#streams, this.#limits, this.#counters);
  }

  get parkedCount(): number {
    return this.#parking.count;
  }

  get parkedBytes(): number {
    return this.#parking.bytes;
  }

  get framesInFlight(): number {
    return this.#streams.framesInFlight;
  }

  /**
   * Begins a partition at `start`: everything below it is durable, as the generation's store and log said. Null where the
   * table knows a later generation than that of `generationIndex`.
   */
  startPartition(
    topic: string,
    id: PartitionId,
    leaseEpoch: number,
    start: number,
    generationIndex: number,
  ): PartitionReading | null {
    return this.#readings.begin(topic, id, leaseEpoch, start, generationIndex);
  }

  /** Routes and commits nothing more of a partition. */
  losePartition(reading: PartitionReading): void {
    this.#readings.lose(reading);
  }

  partitions(): Iterable<PartitionReading> {
    return this.#readings;
  }

  /** Takes notice of unclean ends and generation entries before anything is routed or counted under a later index. */
  catchUp(): void {
    this.#readings.catchUp();
  }

  /** The offset before the first pending record (3.3). Never falls. */
  durableWatermark(reading: PartitionReading): number {
    return this.#readings.durableWatermark(reading);
  }

  // Routing

  /**
   * Routes rows of a batch that was read in reading `number`, from `row` on. Returns the next row to route: `batch.count`
   * when all are, less when the partition must pause (a bound is reached; try again after returns), `readingChanged` when
   * the batch is void.
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
      const verdict = start < 0 ? 1 : locateKey(locator, bytes, start, valueEnds[row]!);
      const excess = verdict === 0 ? this.#excessOf(locator, valueEnds[row]! - start) : null;
      if (excess !== null || verdict >= 2) {
        if (this.outputs.isFull(this.#limits)) return row;
        this.#deadLetter(reading, batch, row, excess ?? refusal(locator, verdict));
      } else if (verdict === 0) {
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
          this.#framer.append(
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
            this.#index,
            this.#grantIndex(),
            nowMs,
          );
        }
      } else this.#counters.recordsSkipped++;
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
    if (this.#grantIndex() > this.#index) return 'changed';
    const stream = this.#streams.get(leases.session, leases.shard);
    if (stream === null || this.#streams.mustWait(stream, hi, lo, this.#grantIndex())) return null;
    return this.#streams.isFull(stream) ? 'blocked' : stream;
  }

  /** Raft index of the lease that was looked up last. */
  #grantIndex(): number {
    return this.#leases.epoch - this.#leases.epochBase();
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

  /** Which limit the record exceeds, as its dead letter has it; null: none. */
  #excessOf({ keyStart, keyEnd }: KeyLocator, valueBytes: number): 'key-too-long' | 'too-large' | null {
    if (keyEnd - keyStart > keyBytesMax) return 'key-too-long';
    return keyEnd - keyStart + valueBytes > this.#limits.recordBytesMax ? 'too-large' : null;
  }

  #ask(unit: ParkedUnit, nowMs: number): void {
    unit.askedAtMs = nowMs;
    this.#acquire.push(unit.hi, unit.lo);
  }

  /** Whole, as it came: with its key and its own headers. */
  #deadLetter(reading: PartitionReading, batch: RecordBatch, row: number, reason: string): void {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = batch;
    const offset = batch.offsets[row]!;
    const headers = deadLetterHeaders(this.#job, reading.topic, reading.id.partition, offset, reason, 'record');
    for (const [name, value] of Object.entries(batch.headersOf?.(row) ?? {})) headers[ownHeaderPrefix + name] = value;
    const key = keyStarts[row]! < 0 ? null : copyBytes(bytes, keyStarts[row]!, keyEnds[row]!);
    this.outputs.publish(this.#deadLetterTopic, key, copyBytes(bytes, valueStarts[row]!, valueEnds[row]!), headers);
    reading.deadLetters.push({ offset, output: this.outputs.emitted });
    this.#counters.recordsDead++;
  }

  /** Sends off frames that have waited for `ageMs`. */
  flushAged(nowMs: number, ageMs: number): void {
    this.#framer.flushAged(nowMs, ageMs);
  }

  /** Sends off what is being built for this very shard. */
  flushLocal(): void {
    this.#framer.flushLocal();
  }

  /** True when time alone may make something due: a frame is being built, or records are parked. */
  get restless(): boolean {
    return this.#parking.unitCount > 0 || this.#framer.isBuilding;
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
      const grantIndex = this.#grantIndex();
      // Its holder is closing it, most likely, and says no until the table shows where the unit went.
      if (grantIndex > this.#index || (this.#leases.epoch === unit.refusedEpoch && nowMs < unit.retryAtMs)) continue;
      const stream = this.#streams.get(this.#leases.session, this.#leases.shard);
      if (
        stream === null ||
        this.#streams.isFull(stream) ||
        this.#streams.mustWait(stream, unit.hi, unit.lo, grantIndex)
      )
        continue;
      const sent = this.#framer.appendParked(stream, unit, this.#index, grantIndex, nowMs);
      if (sent < unit.records.length) {
        this.#parking.removeFirst(unit, sent);
        continue;
      }
      this.pauses.leaves(unit, stream);
      this.#parking.remove(unit);
    }
    this.pauses.sendOff(this.#framer);
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
    return this.#streams.takeWanted();
  }

  openStream(to: ShardRef): IngestStream {
    return this.#streams.open(to);
  }

  /** Everything sent on it and not known durable is read and sent again (4.1). */
  onStreamEnd(stream: IngestStream): void {
    if (stream.ended) return;
    // It leaves the table last: the watermark must not pass what went with it.
    for (const reading of this.#readings) {
      if (stream.leastOffset(reading) < Number.POSITIVE_INFINITY) this.#readings.goBack(reading);
    }
    this.#streams.end(stream);
  }

  onReturn(stream: IngestStream, message: Return, nowMs: number): void {
    if (stream.ended) return;
    stream.deferred.push(message);
    this.#continueReturns(stream, nowMs);
  }

  /** The table has moved: returns that named its new index count now. */
  onTableAdvanced(nowMs: number): void {
    this.catchUp();
    for (const stream of this.#streams) this.#continueReturns(stream, nowMs);
  }

  #continueReturns(stream: IngestStream, nowMs: number): void {
    while (stream.deferred.length > 0 && !stream.ended) {
      const message = stream.deferred[0]!;
      if (message.kind !== 'applied' && message.tableIndex > this.#leases.tableIndex()) return;
      stream.deferred.shift();
      if (message.kind === 'applied') this.pauses.settle(stream, message.frame, nowMs);
      else {
        this.catchUp();
        if (message.kind === 'refused') this.#onRefused(stream, message.number, message.frame, message.units, nowMs);
        else stream.markDurable(message.frame);
      }
    }
  }

  #onRefused(stream: IngestStream, number: number, frameNumber: number, units: Uint32Array, nowMs: number): void {
    // What is being built would otherwise carry the news of this refusal ahead of the refused records.
    for (const builder of stream.builders) if (builder !== undefined) this.#framer.flush(builder);
    stream.refusalSeen = number;
    stream.holds.hold(units, stream.sent);
    const sent = stream.unsettled.find(({ frame }) => frame.number === frameNumber);
    if (sent === undefined || !sent.current) return;
    const { frame } = sent;
    const reader = this.#reader.open(frame.block, frame.baseOffset);
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
      // Only who refused is left alone for a while: the table may show the next holder already.
      const epoch = isLeasedTo(this.#leases, stream.id.to, reader.hi, reader.lo) ? this.#leases.epoch : 0;
      const sinceMs = this.pauses.refusedAgain(stream, reader.hi, reader.lo) ?? nowMs;
      this.#parking.refused(reader.hi, reader.lo, sinceMs, epoch, nowMs + this.#limits.refusedRetryMs);
    }
  }
}
