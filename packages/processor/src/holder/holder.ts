import { assert, type ShardRef } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import { noCrashNotes } from '../crash-notes.ts';
import type { Frame, Return, StreamId } from '../frame.ts';
import { isLeasedTo, type LeaseView } from '../lease-view.ts';
import { defaultRecordLimits, type RecordLimits } from '../limits.ts';
import { PartitionBook } from '../partition-book.ts';
import { Quarantine } from '../quarantine.ts';
import { RecordBlockReader } from '../record-block.ts';
import { Applier } from './applier.ts';
import { AwaitedIndex } from './awaited-index.ts';
import { ClaimFloors } from './claim-floors.ts';
import { ClosingUnits } from './closing-units.ts';
import { FaultyUnits } from './faulty-units.ts';
import { beginGeneration, type GenerationParts } from './generation.ts';
import { HeldUnit } from './held-unit.ts';
import type { HolderOptions } from './holder-options.ts';
import type { Flight, HolderStream } from './holder-stream.ts';
import { HotUnits } from './hot-units.ts';
import { MarkerBook, type MarkWish, type StoredMarker } from './marker-book.ts';
import { OutputBuffer } from './output-buffer.ts';
import { Rounds } from './rounds.ts';
import { RowWriter } from './row-writer.ts';
import { SealedUnits } from './sealed-units.ts';
import { StreamSet } from './stream-set.ts';
import { UnitEnds } from './unit-ends.ts';
import { UnitQuestions } from './unit-questions.ts';
import { UnitStore } from './unit-store.ts';
import type { UnreadableRowError } from './unreadable-row-error.ts';
import { WaitingRecords } from './waiting-records.ts';
import type { ClaimWish, RowWish } from './wishes.ts';

/**
 * The holder: where ownership is enforced on records (PROTOCOL.md 4.2–4.5, 5). Pure and synchronous: frames, table
 * changes, store answers and time come in; claims, rows, returns, outputs and releases are taken out by the driver.
 */
export class Holder {
  readonly #self: ShardRef;
  readonly #leases: LeaseView;
  readonly #limits: RecordLimits;
  readonly #inputs: readonly string[];
  readonly #counters: RecordCounters;
  readonly #units = new UnitStore();
  /** Each slot's partition. */
  readonly partitions = new PartitionBook();
  readonly #markers = new MarkerBook();
  readonly claimFloors = new ClaimFloors(this.#markers, this.partitions);
  readonly outputs = new OutputBuffer();
  readonly #rounds: Rounds;
  readonly #applier: Applier;
  readonly #reader = new RecordBlockReader();
  readonly #streams: StreamSet;
  readonly #closing: ClosingUnits;
  readonly #faulty: FaultyUnits;
  readonly #sealed: SealedUnits;
  readonly #parts: GenerationParts;
  readonly #waiting: WaitingRecords;
  readonly #rows: RowWriter;
  /** Ends of leases that this holder brings about. */
  readonly ends: UnitEnds;
  readonly questions: UnitQuestions;
  /** Units whose records become dead letters (PROTOCOL.md 6.3). */
  readonly quarantine = new Quarantine();
  readonly #hot = new HotUnits();
  #claims: ClaimWish[] = [];
  #forcedSeen: number;
  /** Of the generation's entry that all it hands out belongs to; the table may be ahead. */
  generationIndex: number;
  /** Nothing is durable until the table shows the grant that fenced us, or the end that took a unit away. */
  readonly awaited = new AwaitedIndex();

  constructor(options: HolderOptions) {
    this.#self = options.self;
    this.#leases = options.leases;
    this.#limits = options.limits ?? defaultRecordLimits;
    this.#inputs = options.job.inputs;
    this.#counters = options.counters ?? new RecordCounters();
    this.#rounds = new Rounds(this.#markers, this.outputs);
    this.#streams = new StreamSet(options.self, (ended) => this.#waiting.drop(ended));
    this.#closing = new ClosingUnits(this.#rounds, options.leases, this.#limits);
    this.#faulty = new FaultyUnits(this.#closing, this.#counters, this.#limits);
    const { partitions, quarantine } = this;
    const own = { counters: this.#counters, markers: this.#markers, faulty: this.#faulty, closing: this.#closing };
    const shared = { crashNotes: noCrashNotes, ...options, ...own, partitions, quarantine };
    this.#applier = new Applier({ ...shared, outputs: this.outputs });
    this.#sealed = new SealedUnits(shared);
    const parts = {
      ...shared,
      units: this.#units,
      claimFloors: this.claimFloors,
      rounds: this.#rounds,
      sealed: this.#sealed,
      applier: this.#applier,
      hot: this.#hot,
    };
    this.#waiting = new WaitingRecords(parts);
    this.#parts = { ...parts, waiting: this.#waiting };
    this.#rows = new RowWriter(parts);
    this.questions = new UnitQuestions(parts);
    this.ends = new UnitEnds({ ...parts, idleMs: options.job.idleMs });
    this.#forcedSeen = options.leases.forcedCount();
    this.generationIndex = options.leases.generationIndex();
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

  /** Null when the stream isn't for this session and shard, or is superseded. */
  openStream(id: StreamId): HolderStream | null {
    return this.#streams.open(id);
  }

  closeStream(stream: HolderStream): void {
    this.#streams.close(stream);
  }

  /** @returns why the stream must be ended: the frame isn't taken; null when it is */
  onFrame(stream: HolderStream, frame: Frame, nowMs: number): string | null {
    if (stream.ended) return null;
    const problem = stream.arrived(frame, this.#limits);
    if (problem !== null) return problem;
    if (stream.backlog.length > 0 || this.#mustWait(frame)) stream.backlog.push(frame);
    else this.#handle(stream, frame, nowMs);
    return null;
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
    return frame.tableIndex > this.#leases.tableIndex() || this.outputs.isFull(this.#limits);
  }

  #handle(stream: HolderStream, frame: Frame, nowMs: number): void {
    this.#checkGeneration(nowMs);
    this.#checkForced();
    this.#sealed.check();
    const slot = this.partitions.slot(frame.partition);
    // Of a version of the job with an input more: the sender keeps its records until a node of that version has the user.
    const isRead = this.#inputs.includes(frame.topic);
    if (isRead && frame.tableIndex >= this.#leases.generationIndex()) this.#markers.tell(slot, frame.durableWatermark);
    if (frame.refusalSeen >= stream.refusals) stream.refusedUnits.clear();
    const flight: Flight = { number: frame.number, bytes: frame.block.length, waiting: 0 };
    stream.flights.push(flight);
    const refusalNumber = stream.refusals + 1;
    const refused: number[] = [];
    this.#applier.begin(frame);
    const reader = this.#reader.open(frame.block, frame.baseOffset);
    while (reader.next()) {
      const { hi, lo } = reader;
      let unit = this.#units.get(hi, lo);
      if (unit === null) unit = this.#admit(hi, lo, nowMs);
      if (unit === null || !isRead || !this.#accepts(stream, unit, frame)) {
        if (stream.refusedUnits.last(hi, lo) !== refusalNumber) {
          stream.refusedUnits.refuse(hi, lo, refusalNumber);
          refused.push(hi, lo);
        }
        continue;
      }
      unit.lastUsedMs = nowMs;
      this.#hot.note(hi, lo);
      if (unit.phase === 'claiming' || unit.paused) {
        this.#waiting.add(unit, stream, flight, frame, reader);
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
    this.#applier.end();
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
    if (unit.phase !== 'open' && unit.phase !== 'claiming') return false;
    return unit.epoch - this.#leases.epochBase() <= frame.tableIndex && !this.#waiting.overtaken(stream, unit, frame);
  }

  // Claims (5.2)

  /** Begins to hold a unit that the table grants to this shard; null when it doesn't. */
  #admit(hi: number, lo: number, nowMs: number): HeldUnit | null {
    const leases = this.#leases;
    if (this.#closing.stopping || !this.awaited.isReached(leases.tableIndex())) return null;
    if (!isLeasedTo(leases, this.#self, hi, lo)) return null;
    const unit = new HeldUnit(hi, lo, leases.epoch, nowMs);
    this.#units.add(unit);
    this.#claims.push({ hi, lo, epoch: unit.epoch });
    return unit;
  }

  takeClaims(max: number): ClaimWish[] {
    return this.claimsQueued === 0 ? [] : this.#claims.splice(0, max);
  }

  /** None until the quarantine is known as it was at their grants: what the holder before buried isn't applied here (6.3). */
  get claimsQueued(): number {
    return this.quarantine.index < this.#leases.quarantineIndex() ? 0 : this.#claims.length;
  }

  /** The claim was answered under the generation of that entry, the last if it is to count: it opens with this row, if it can. */
  onClaimed(
    claim: ClaimWish,
    row: Uint8Array | UnreadableRowError | null,
    markers: readonly StoredMarker[],
    ofIndex: number,
    nowMs: number,
  ): void {
    // The table may show one that nobody told us of yet, also between two answers of one call: the claim is made again.
    this.#checkGeneration(nowMs);
    if (ofIndex !== this.generationIndex) return;
    const unit = this.#units.get(claim.hi, claim.lo);
    if (unit === null || unit.epoch !== claim.epoch || unit.phase !== 'claiming') return;
    this.claimFloors.add(unit, markers);
    this.#sealed.load(unit, row);
    this.#waiting.apply(unit, nowMs);
    if (this.#closing.stopping && unit.isOpen) this.#closing.close(unit);
  }

  /** A higher epoch is in the store: this shard's lease is over, though the table may not show it yet. */
  onFenced(fenced: ClaimWish, storedEpoch: number): void {
    const unit = this.#units.get(fenced.hi, fenced.lo);
    if (unit === null || unit.epoch !== fenced.epoch || storedEpoch <= unit.epoch) return;
    this.#counters.backupsFenced++;
    this.awaited.raise(storedEpoch - this.#leases.epochBase(), storedEpoch);
    this.#drop(unit);
  }

  // Ends of leases (2.2, 2.3)

  #drop(unit: HeldUnit): void {
    if (!this.#units.has(unit)) return;
    this.#units.remove(unit);
    unit.held = false;
    if (unit.dirty) {
      this.#counters.unitsLostDirty++;
      // The table may not be at the index of what took it away yet, for which its ingests have to go back first (5.4).
      this.awaited.raise(this.#leases.uncleanIndex());
    }
    this.#rounds.dropped(unit);
    this.#closing.dropped(unit);
    this.#faulty.dropped(unit);
    this.#sealed.dropped(unit);
    this.#waiting.giveBack(unit);
    // A round that can't end keeps the unit; it need not keep its states.
    unit.users = [];
  }

  #stillMine(unit: HeldUnit): boolean {
    return isLeasedTo(this.#leases, this.#self, unit.hi, unit.lo) && this.#leases.epoch === unit.epoch;
  }

  #checkForced(): void {
    const forced = this.#leases.forcedCount();
    if (forced === this.#forcedSeen) return;
    this.#forcedSeen = forced;
    for (const unit of this.#units) if (!this.#stillMine(unit)) this.#drop(unit);
  }

  /** Lets go of closed units whose end the table shows, and proposes the others' end again: proposals may be lost. */
  checkClosed(nowMs: number): void {
    this.#sealed.check();
    for (const unit of this.#closing.check(nowMs)) {
      if (this.#stillMine(unit)) continue;
      if (unit.moveTo !== null) this.#counters.unitsMoved++;
      this.#drop(unit);
    }
    // An end that was under way already: no forced one comes.
    for (const unit of this.#faulty) if (!this.#stillMine(unit)) this.#drop(unit);
    for (const unit of this.#closing.voided()) {
      if (!this.#stillMine(unit)) continue;
      this.#counters.movesVoided++;
      if (unit.rowless) this.#drop(unit);
      else this.#closing.reopen(unit);
    }
  }

  #checkGeneration(nowMs: number): void {
    const index = this.#leases.generationIndex();
    if (index === this.generationIndex) return;
    this.generationIndex = index;
    // A store of another history has ended leases: what was held is neither written over its rows nor durable before this.
    this.awaited.raise(index);
    for (const unit of this.#units) if (!this.#stillMine(unit)) this.#drop(unit);
    this.#claims = beginGeneration(this.#parts, nowMs);
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
    if (!this.#rounds.complete() || !this.awaited.isReached(tableIndex)) return null;
    return this.#rounds.finish(tableIndex);
  }

  onMarked(wish: MarkWish, ofIndex: number): void {
    if (ofIndex !== this.generationIndex) return;
    this.#markers.confirm(wish.bucket, wish.slot, wish.offset);
  }

  get rowsQueued(): number {
    return this.#rounds.queued;
  }

  /** A closing unit's row waits to be written: records wait for it. */
  get rowsHurried(): boolean {
    return this.#rounds.isHurried;
  }

  /** Rows to write now. Each counts as under way until `onRowAccepted`, `onFenced`, `onRowStale` or `onRowCorrupt`. */
  takeRows(max: number, nowMs: number): RowWish[] {
    // A row that is pruned by the markers of a generation must not reach the store as one of the next.
    this.#checkGeneration(nowMs);
    return this.#rows.take(max, nowMs, (unit) => this.#waiting.resume(unit, nowMs));
  }

  onRowAccepted(row: RowWish, nowMs: number): void {
    this.#rows.accepted(row, nowMs);
  }

  /** The store has a higher seq of the same epoch: a repeat that came late. The row is written anew. */
  onRowStale(row: RowWish): void {
    this.#rows.stale(row);
  }

  onRowCorrupt(row: RowWish, problem: string): void {
    this.#rows.corrupt(row, problem);
  }

  /** Everything up to this output is durable in the log. */
  onOutputsAcked(number: number, nowMs: number): void {
    this.outputs.acked = Math.max(this.outputs.acked, number);
    this.#continueBacklogs(nowMs);
  }
}
