import { assert, bucketOf, type PartitionId, partitionKey, type ShardRef } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import type { Frame, Return, StreamId } from '../frame.ts';
import type { Job } from '../job.ts';
import type { LeaseView } from '../lease-view.ts';
import { defaultRecordLimits, type RecordLimits } from '../limits.ts';
import { PartitionBook } from '../partition-book.ts';
import { RecordBlockReader } from '../record-block.ts';
import { Applier, findUser } from './applier.ts';
import { ClosingUnits, type EndWish } from './closing-units.ts';
import { type HandOver, HandOverPlan, type HandOverSteps } from './hand-over.ts';
import { HeldUnit, type HeldUser } from './held-unit.ts';
import type { Flight, HolderStream } from './holder-stream.ts';
import { type HotUnitCount, HotUnits } from './hot-units.ts';
import { LongestIdle } from './longest-idle.ts';
import { MarkerBook, type MarkWish } from './marker-book.ts';
import { type Output, OutputBuffer } from './output-buffer.ts';
import { Rounds } from './rounds.ts';
import { StreamSet } from './stream-set.ts';
import { encodeUnit, loadRow } from './unit-row.ts';
import { UnitStore } from './unit-store.ts';

/** A claim for the store: raise the unit's epoch and read its row, in one step. */
export interface ClaimWish {
  readonly hi: number;
  readonly lo: number;
  readonly epoch: number;
}

/** A row for the store. A repeat after an unclear failure is the same object again: same bytes, same seq. */
export interface RowWish extends ClaimWish {
  readonly seq: number;
  readonly row: Uint8Array;
  readonly version: number;
}

export interface HolderOptions {
  readonly self: ShardRef;
  readonly job: Job;
  readonly leases: LeaseView;
  readonly deadLetterTopic: string;
  readonly limits?: RecordLimits;
  readonly counters?: RecordCounters;
}

/**
 * The holder: where ownership is enforced on records (PROTOCOL.md 4.2–4.5, 5). Pure and synchronous: frames, table
 * changes, store answers and time come in; claims, rows, returns, outputs and releases are taken out by the driver.
 */
export class Holder {
  readonly #self: ShardRef;
  readonly #job: Job;
  readonly #leases: LeaseView;
  readonly #limits: RecordLimits;
  readonly #counters: RecordCounters;
  readonly #units = new UnitStore();
  readonly #partitions = new PartitionBook();
  readonly #markers = new MarkerBook();
  readonly #outputs = new OutputBuffer();
  readonly #rounds: Rounds;
  readonly #applier: Applier;
  readonly #reader = new RecordBlockReader();
  readonly #streams: StreamSet;
  readonly #closing: ClosingUnits;
  readonly #handOver: HandOverPlan;
  readonly #longestIdle: LongestIdle;
  readonly #hot = new HotUnits();
  #claims: ClaimWish[] = [];
  #forcedSeen: number;
  #generationSeen: number;
  /** Nothing is durable until the table shows the grant that fenced us. */
  #needIndex = 0;

  constructor(options: HolderOptions) {
    this.#self = options.self;
    this.#job = options.job;
    this.#leases = options.leases;
    this.#limits = options.limits ?? defaultRecordLimits;
    this.#counters = options.counters ?? new RecordCounters();
    this.#rounds = new Rounds(this.#markers, this.#outputs);
    this.#streams = new StreamSet(options.self);
    this.#closing = new ClosingUnits(this.#rounds, options.leases, this.#limits);
    this.#handOver = new HandOverPlan(options.self, options.leases, this.#units);
    this.#longestIdle = new LongestIdle(options.self, options.leases, this.#units);
    this.#applier = new Applier(options.job, this.#markers, this.#outputs, options.deadLetterTopic, this.#counters);
    this.#forcedSeen = options.leases.forcedCount();
    this.#generationSeen = options.leases.generationIndex();
  }

  get unitCount(): number {
    return this.#units.size;
  }

  get dirtyCount(): number {
    return this.#rounds.dirtyCount;
  }

  get oldestDirtyMs(): number {
    return this.#rounds.oldestDirtyMs;
  }

  // Streams and frames

  /** Null when the stream isn't for this session and shard, or is superseded. */
  openStream(id: StreamId): HolderStream | null {
    return this.#streams.open(id);
  }

  closeStream(stream: HolderStream): void {
    this.#streams.close(stream);
  }

  /** @returns false when the frame is out of sequence: the stream must be ended */
  onFrame(stream: HolderStream, frame: Frame, nowMs: number): boolean {
    if (stream.ended) return true;
    if (frame.number !== stream.received + 1) return false;
    stream.received = frame.number;
    if (stream.backlog.length > 0 || this.#mustWait(frame)) stream.backlog.push(frame);
    else this.#handle(stream, frame, nowMs);
    return true;
  }

  /** The table has moved, or outputs were acknowledged: what waited for it goes on. */
  onTableAdvanced(nowMs: number): void {
    this.#checkGeneration(nowMs);
    this.#checkForced();
    this.checkClosed(nowMs);
    this.#continueBacklogs(nowMs);
  }

  /** Streams with returns to send. */
  takeReturns(): Iterable<{ stream: HolderStream; returns: Return[] }> {
    return this.#streams.takeReturns();
  }

  #continueBacklogs(nowMs: number): void {
    for (const stream of this.#streams) {
      while (stream.backlog.length > 0 && !this.#mustWait(stream.backlog[0]!)) {
        this.#handle(stream, stream.backlog.shift()!, nowMs);
      }
    }
  }

  #mustWait(frame: Frame): boolean {
    return (
      frame.tableIndex > this.#leases.tableIndex() ||
      this.#outputs.emitted - this.#outputs.acked >= this.#limits.outputsUnackedMax
    );
  }

  #handle(stream: HolderStream, frame: Frame, nowMs: number): void {
    this.#checkGeneration(nowMs);
    this.#checkForced();
    const slot = this.#partitions.slot(frame.partition);
    if (frame.tableIndex >= this.#leases.generationIndex()) this.#markers.tell(slot, frame.durableWatermark);
    if (frame.refusalSeen >= stream.refusals) stream.refusedUnits.clear();
    const flight: Flight = { number: frame.number, waiting: 0 };
    stream.flights.push(flight);
    const refusalNumber = stream.refusals + 1;
    const refused: number[] = [];
    const reader = this.#reader.open(frame.block, frame.baseOffset, frame.baseTimeUnixMs);
    while (reader.next()) {
      const { hi, lo } = reader;
      let unit = this.#units.get(hi, lo);
      if (unit === null) unit = this.#admit(hi, lo, nowMs);
      if (unit === null || !this.#accepts(stream, unit, frame)) {
        if (stream.refusedUnits.get(hi, lo) !== refusalNumber) {
          stream.refusedUnits.set(hi, lo, refusalNumber);
          refused.push(hi, lo);
        }
        continue;
      }
      unit.lastUsedMs = nowMs;
      this.#hot.note(hi, lo);
      if (unit.phase === 'claiming' || unit.paused) {
        flight.waiting++;
        unit.waiting ??= [];
        unit.waiting.push({
          stream,
          flight,
          frame,
          offset: reader.offset,
          timeUnixMs: reader.timeUnixMs,
          keyStart: reader.keyStart,
          keyEnd: reader.keyEnd,
          valueStart: reader.valueStart,
          valueEnd: reader.valueEnd,
        });
        continue;
      }
      const changed = this.#applier.apply(
        unit,
        slot,
        frame.topic,
        frame.partition,
        reader.offset,
        reader.timeUnixMs,
        reader.bytes,
        reader.keyStart,
        reader.keyEnd,
        reader.valueStart,
        reader.valueEnd,
      );
      if (changed) this.#rounds.changed(unit, nowMs);
    }
    if (refused.length > 0) {
      stream.refusals = refusalNumber;
      stream.refuse(frame.number, this.#leases.tableIndex(), Uint32Array.from(refused), refusalNumber);
    }
    stream.settle();
  }

  /**
   * The acceptance rule (PROTOCOL.md 4.2, 4.3): held and open (or about to be), granted no later than the table that the
   * sender routed by, not older than the latest generation entry, no refusal unseen.
   */
  #accepts(stream: HolderStream, unit: HeldUnit, frame: Frame): boolean {
    if (unit.phase === 'closing' || unit.phase === 'closed') return false;
    return unit.epoch - this.#leases.epochBase() <= frame.tableIndex && !this.#overtaken(stream, unit, frame);
  }

  /** Sent before a generation entry, or before the sender saw that this unit was refused. */
  #overtaken(stream: HolderStream, unit: HeldUnit, frame: Frame): boolean {
    if (frame.tableIndex < this.#leases.generationIndex()) return true;
    return stream.refusedUnits.size > 0 && stream.refusedUnits.get(unit.hi, unit.lo) > frame.refusalSeen;
  }

  // Claims (5.2)

  /** Begins to hold a unit that the table grants to this shard; null when it doesn't. */
  #admit(hi: number, lo: number, nowMs: number): HeldUnit | null {
    const leases = this.#leases;
    if (this.#closing.stopping || leases.tableIndex() < this.#needIndex) return null;
    if (!leases.lookup(hi, lo)) return null;
    if (leases.session !== this.#self.session || leases.shard !== this.#self.shard) return null;
    const unit = new HeldUnit(hi, lo, leases.epoch, nowMs);
    this.#units.add(unit);
    this.#claims.push({ hi, lo, epoch: unit.epoch });
    return unit;
  }

  takeClaims(max: number): ClaimWish[] {
    return this.#claims.splice(0, max);
  }

  get claimsQueued(): number {
    return this.#claims.length;
  }

  /** The claim was accepted under the generation that the table shows now: the unit opens with this row. */
  onClaimed(
    claim: ClaimWish,
    row: Uint8Array | null,
    markers: readonly { readonly partition: PartitionId; readonly offset: number }[],
    nowMs: number,
  ): void {
    // The table may show a generation entry that nobody told us of yet: its row must not meet the markers of before.
    this.#checkGeneration(nowMs);
    const unit = this.#units.get(claim.hi, claim.lo);
    if (unit === null || unit.epoch !== claim.epoch || unit.phase !== 'claiming') return;
    const bucket = bucketOf(unit.hi, unit.lo);
    for (const { partition, offset } of markers)
      this.#markers.confirm(bucket, this.#partitions.slot(partition), offset);
    if (row !== null) loadRow(unit, row, this.#partitions);
    unit.phase = 'open';
    this.#counters.unitsClaimed++;
    this.#applyWaiting(unit, nowMs);
    if (this.#closing.stopping) this.#closing.close(unit);
  }

  /** A higher epoch is in the store: this shard's lease is over, though the table may not show it yet. */
  onFenced(fenced: ClaimWish, storedEpoch: number): void {
    const unit = this.#units.get(fenced.hi, fenced.lo);
    if (unit === null || unit.epoch !== fenced.epoch || storedEpoch <= unit.epoch) return;
    this.#counters.backupsFenced++;
    this.#needIndex = Math.max(this.#needIndex, storedEpoch - this.#leases.epochBase());
    this.#drop(unit);
  }

  #applyWaiting(unit: HeldUnit, nowMs: number): void {
    const waiting = unit.waiting;
    unit.waiting = null;
    if (waiting === null) return;
    const touched = new Set<HolderStream>();
    const overtaken = [];
    const refusing = new Set<HolderStream>();
    for (const record of waiting) {
      const { stream, frame } = record;
      record.flight.waiting--;
      if (stream.ended) continue;
      touched.add(stream);
      // A generation entry may have come in between: what was read before it is void, and so is what follows a refusal.
      if (refusing.has(stream) || this.#overtaken(stream, unit, frame)) {
        refusing.add(stream);
        overtaken.push(record);
        continue;
      }
      const changed = this.#applier.apply(
        unit,
        this.#partitions.slot(frame.partition),
        frame.topic,
        frame.partition,
        record.offset,
        record.timeUnixMs,
        frame.block,
        record.keyStart,
        record.keyEnd,
        record.valueStart,
        record.valueEnd,
      );
      if (changed) this.#rounds.changed(unit, nowMs);
    }
    this.#refuseWaiting(unit, overtaken);
    for (const stream of touched) stream.settle();
  }

  #refuseWaiting(unit: HeldUnit, waiting: NonNullable<HeldUnit['waiting']>): void {
    const touched = new Set<HolderStream>();
    for (let i = 0; i < waiting.length; i++) {
      const { stream, flight } = waiting[i]!;
      if (stream.ended) continue;
      touched.add(stream);
      const previous = waiting[i - 1];
      if (previous?.stream === stream && previous.flight === flight) continue;
      stream.refusals++;
      stream.refusedUnits.set(unit.hi, unit.lo, stream.refusals);
      stream.refuse(flight.number, this.#leases.tableIndex(), Uint32Array.of(unit.hi, unit.lo), stream.refusals);
    }
    for (const stream of touched) stream.settle();
  }

  // Ends of leases (2.2, 2.3)

  #drop(unit: HeldUnit): void {
    if (!this.#units.has(unit)) return;
    this.#units.remove(unit);
    unit.held = false;
    if (unit.dirty) this.#counters.unitsLostDirty++;
    this.#rounds.dropped(unit);
    this.#closing.dropped(unit);
    const waiting = unit.waiting;
    unit.waiting = null;
    if (waiting !== null) {
      for (const record of waiting) record.flight.waiting--;
      this.#refuseWaiting(unit, waiting);
    }
  }

  #stillMine(unit: HeldUnit): boolean {
    const leases = this.#leases;
    return (
      leases.lookup(unit.hi, unit.lo) &&
      leases.epoch === unit.epoch &&
      leases.session === this.#self.session &&
      leases.shard === this.#self.shard
    );
  }

  #checkForced(): void {
    const forced = this.#leases.forcedCount();
    if (forced === this.#forcedSeen) return;
    this.#forcedSeen = forced;
    for (const unit of this.#units) if (!this.#stillMine(unit)) this.#drop(unit);
  }

  /** Lets go of closed units whose end the table shows, and proposes the others' end again: proposals may be lost. */
  checkClosed(nowMs: number): void {
    for (const unit of this.#closing.check(nowMs)) {
      if (this.#stillMine(unit)) continue;
      if (unit.moveTo !== null) this.#counters.unitsMoved++;
      this.#drop(unit);
    }
    for (const unit of this.#closing.voided()) {
      if (!this.#stillMine(unit)) continue;
      this.#counters.movesVoided++;
      if (unit.unclaimed) this.#drop(unit);
      else this.#closing.reopen(unit);
    }
  }

  // Planned moves (2.2): the holder chooses the units; each closes, is backed up, and its move proposed

  /** Units to hand over, in place of what is left of the last plan. */
  planHandOver(plan: readonly HandOver[], nowMs: number): void {
    this.#handOver.set(plan, nowMs);
  }

  /** Units that are to be handed over, and aren't yet. */
  get handOverLeft(): number {
    return this.#handOver.left + this.#closing.movingCount;
  }

  /** Begins moves of the plan while fewer than `movingMax` units are on their way; looks at `places` of the table. */
  handOverSome(nowMs: number, movingMax: number, places: number): void {
    const max = movingMax - this.#closing.movingCount;
    if (max > 0 && !this.#closing.stopping) this.#handOver.take(max, places, nowMs, this.#handOverSteps);
  }

  /** Begins the move of one unit; false when it isn't open here. */
  moveUnit(hi: number, lo: number, to: ShardRef, nowMs: number): boolean {
    const unit = this.#units.get(hi, lo);
    if (this.#closing.stopping || (unit !== null && unit.phase !== 'open')) return false;
    const leases = this.#leases;
    if (!leases.lookup(hi, lo) || leases.session !== this.#self.session || leases.shard !== this.#self.shard) {
      return false;
    }
    if (unit === null) this.#closeUnclaimed(hi, lo, leases.epoch, to, nowMs);
    else this.#closing.close(unit, to);
    return true;
  }

  readonly #handOverSteps: HandOverSteps = {
    close: (unit, to) => this.#closing.close(unit, to),
    closeUnclaimed: (hi, lo, epoch, to) => this.#closeUnclaimed(hi, lo, epoch, to, 0),
  };

  /** A lease under which nothing was ever claimed ends without a row; until then its records are refused. */
  #closeUnclaimed(hi: number, lo: number, epoch: number, to: ShardRef | null, nowMs: number): void {
    const unit = new HeldUnit(hi, lo, epoch, nowMs);
    unit.unclaimed = true;
    this.#units.add(unit);
    this.#closing.close(unit, to);
  }

  /** Closes units without records for the job's idle time; looks at `max` of them, going on where it stopped. */
  closeIdle(nowMs: number, max: number): void {
    for (const unit of this.#units.some(max)) {
      if (unit.phase === 'open' && nowMs - unit.lastUsedMs >= this.#job.idleMs) this.#closing.close(unit);
    }
  }

  /** The table is nearly full: closes up to `max` units, the longest idle of `places` looked at. */
  closeLongestIdle(max: number, places: number, nowMs: number): void {
    if (this.#closing.stopping) return;
    this.#longestIdle.release(max, places, nowMs, {
      close: (unit) => this.#closing.close(unit),
      closeUnclaimed: (hi, lo, epoch) => this.#closeUnclaimed(hi, lo, epoch, null, nowMs),
    });
  }

  /** Refuses everything from now on and has every unit backed up: the shard is about to stop. */
  closeAll(): void {
    this.#closing.stopping = true;
    for (const unit of this.#units) if (unit.phase === 'open') this.#closing.close(unit);
  }

  /** True when every unit is closed and backed up. */
  get allClosed(): boolean {
    for (const unit of this.#units) if (unit.phase !== 'closed') return false;
    return true;
  }

  /** Closed units whose end is to be proposed. */
  takeEnds(nowMs: number): EndWish[] {
    return this.#closing.takeEnds(nowMs);
  }

  // Generations (5.8)

  #checkGeneration(nowMs: number): void {
    const index = this.#leases.generationIndex();
    if (index === this.#generationSeen) return;
    this.#generationSeen = index;
    this.#rounds.void();
    this.#claims = [];
    for (const unit of this.#units) {
      unit.needVersion = 0;
      unit.flyingVersion = -1;
      if (unit.phase === 'claiming') {
        this.#claims.push({ hi: unit.hi, lo: unit.lo, epoch: unit.epoch });
        continue;
      }
      if (unit.unclaimed) continue;
      // The floor goes with the markers, but what it stood for is in the state: write it down first.
      for (const { slot, offset } of this.#markers.floors(bucketOf(unit.hi, unit.lo))) {
        if (offset - 1 > unit.appliedOffset(slot)) unit.setApplied(slot, offset - 1);
      }
      this.#rounds.changed(unit, nowMs);
      if (unit.phase !== 'open') this.#closing.reopenWriting(unit);
    }
    this.#markers.forget();
  }

  // Rounds and rows (5.3, 5.4)

  get roundActive(): boolean {
    return this.#rounds.active;
  }

  /** True when a round would have something to write or to report. */
  get roundDue(): boolean {
    return this.#rounds.dirtyCount > 0 || this.#streams.reportsOwed;
  }

  beginRound(): void {
    assert(!this.#rounds.active, 'a round is under way');
    this.#rounds.begin(this.#streams);
  }

  /** Markers to raise when the round has just ended, else null. */
  finishRound(nowMs: number): MarkWish[] | null {
    this.#checkGeneration(nowMs);
    const tableIndex = this.#leases.tableIndex();
    if (!this.#rounds.complete() || tableIndex < this.#needIndex) return null;
    return this.#rounds.finish(tableIndex);
  }

  partitionOf(slot: number): PartitionId {
    return this.#partitions.ids[slot]!;
  }

  onMarked(wish: MarkWish): void {
    this.#markers.confirm(wish.bucket, wish.slot, wish.offset);
  }

  get rowsQueued(): number {
    return this.#rounds.queued;
  }

  /** A closing unit's row waits to be written: records wait for it. */
  get rowsHurried(): boolean {
    return this.#rounds.isHurried;
  }

  /** Rows to write now. Each counts as under way until `onRowAccepted`, `onFenced` or `onRowStale`. */
  takeRows(max: number, nowMs: number): RowWish[] {
    // A row that is pruned by the markers of a generation must not reach the store as one of the next.
    this.#checkGeneration(nowMs);
    const rows: RowWish[] = [];
    for (const unit of this.#rounds.takeUnits(max)) {
      const { version } = unit;
      unit.dirtySinceMs = nowMs;
      rows.push({
        hi: unit.hi,
        lo: unit.lo,
        epoch: unit.epoch,
        seq: ++unit.seq,
        row: encodeUnit(unit, this.#job, this.#markers, this.#partitions),
        version,
      });
      if (unit.paused) this.#resume(unit, nowMs);
    }
    return rows;
  }

  #resume(unit: HeldUnit, nowMs: number): void {
    unit.paused = false;
    this.#applyWaiting(unit, nowMs);
  }

  onRowAccepted(row: RowWish, nowMs: number): void {
    const unit = this.#flying(row);
    if (unit === null) return;
    unit.flyingVersion = -1;
    unit.lastSavedMs = nowMs;
    this.#counters.backupsAccepted++;
    this.#counters.backupBytes += row.row.length;
    this.#rounds.saved(unit, row.version);
    if (unit.phase === 'closing') this.#closing.saved(unit);
  }

  /** The store has a higher seq of the same epoch: a repeat that came late. The row is written anew. */
  onRowStale(row: RowWish): void {
    const unit = this.#flying(row);
    if (unit === null) return;
    unit.flyingVersion = -1;
    this.#rounds.again(unit);
  }

  #flying(row: RowWish): HeldUnit | null {
    const unit = this.#units.get(row.hi, row.lo);
    return unit !== null && unit.epoch === row.epoch && unit.seq === row.seq && unit.flyingVersion === row.version
      ? unit
      : null;
  }

  // Outputs

  takeOutputs(max: number): Output[] {
    return this.#outputs.take(max);
  }

  get outputsUnacked(): number {
    return this.#outputs.emitted - this.#outputs.acked;
  }

  /** Everything up to this output is durable in the log. */
  onOutputsAcked(number: number, nowMs: number): void {
    this.#outputs.acked = Math.max(this.#outputs.acked, number);
    this.#continueBacklogs(nowMs);
  }

  // Questions

  /** The units with most records, the hottest first, each with its first user's key; null while the window goes on. */
  hotUnits(nowMs: number, max: number): (HotUnitCount & { readonly key: Uint8Array | null })[] | null {
    const hot = this.#hot.windowEnded(nowMs, max);
    return hot?.map((unit) => ({ ...unit, key: this.#units.get(unit.hi, unit.lo)?.users[0]?.key ?? null })) ?? null;
  }

  /** A user's state as it is now; null when its unit isn't open here. */
  user(hi: number, lo: number, key: Uint8Array): { unit: HeldUnit; user: HeldUser | null } | null {
    const unit = this.#units.get(hi, lo);
    if (unit === null || unit.phase === 'claiming') return null;
    const user = findUser(unit, key);
    if (user !== null && !user.decoded) {
      user.state = this.#job.decodeState(user.bytes!);
      user.decoded = true;
    }
    return { unit, user };
  }

  /** Last applied offset per partition that the unit has a vector entry for. */
  vectorOf(unit: HeldUnit): Record<string, number> {
    return Object.fromEntries(
      unit.slots.map((slot, i) => [partitionKey(this.#partitions.ids[slot]!), unit.offsets[i]!]),
    );
  }
}
