import type { Frame } from '../frame.ts';
import type { LeaseView } from '../lease-view.ts';
import type { PartitionBook } from '../partition-book.ts';
import type { RecordBlockReader } from '../record-block.ts';
import type { Applier } from './applier.ts';
import type { HeldUnit } from './held-unit.ts';
import type { Flight, HolderStream } from './holder-stream.ts';
import type { Rounds } from './rounds.ts';
import type { UnitStore } from './unit-store.ts';

export interface WaitingRecordsParts {
  readonly leases: LeaseView;
  readonly partitions: PartitionBook;
  readonly applier: Applier;
  readonly rounds: Rounds;
  readonly units: UnitStore;
}

/** Records that were accepted and wait for their unit's claim or next row: each is applied or sent back (PROTOCOL.md 4). */
export class WaitingRecords {
  readonly #leases: LeaseView;
  readonly #partitions: PartitionBook;
  readonly #applier: Applier;
  readonly #rounds: Rounds;
  readonly #units: UnitStore;

  constructor({ leases, partitions, applier, rounds, units }: WaitingRecordsParts) {
    this.#leases = leases;
    this.#partitions = partitions;
    this.#applier = applier;
    this.#rounds = rounds;
    this.#units = units;
  }

  /** The record at which the reader stands, of this frame. */
  add(unit: HeldUnit, stream: HolderStream, flight: Flight, frame: Frame, reader: RecordBlockReader): void {
    const { offset, timeUnixMs, keyStart, keyEnd, valueStart, valueEnd } = reader;
    flight.waiting++;
    unit.waiting ??= [];
    unit.waiting.push({ stream, flight, frame, offset, timeUnixMs, keyStart, keyEnd, valueStart, valueEnd });
  }

  /** Sent before a generation entry, or before the sender saw that this unit was refused. */
  overtaken(stream: HolderStream, unit: HeldUnit, frame: Frame): boolean {
    if (frame.tableIndex < this.#leases.generationIndex()) return true;
    return stream.refusedUnits.last(unit.hi, unit.lo) > frame.refusalSeen;
  }

  /** The unit's row is made: what waited for that is the next row's. Or it can't be made: what waited goes back. */
  resume(unit: HeldUnit, nowMs: number): void {
    if (!unit.paused) return;
    unit.paused = false;
    this.apply(unit, nowMs);
  }

  /** Applies them in order of arrival, or refuses what was overtaken meanwhile. */
  apply(unit: HeldUnit, nowMs: number): void {
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
      if (refusing.has(stream) || unit.phase === 'faulty' || this.overtaken(stream, unit, frame)) {
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
    this.#applier.end();
    this.#refuse(unit, overtaken);
    for (const stream of touched) stream.settle();
  }

  #refuse(unit: HeldUnit, waiting: NonNullable<HeldUnit['waiting']>): void {
    const touched = new Set<HolderStream>();
    for (let i = 0; i < waiting.length; i++) {
      const { stream, flight } = waiting[i]!;
      if (stream.ended) continue;
      touched.add(stream);
      const previous = waiting[i - 1];
      if (previous?.stream === stream && previous.flight === flight) continue;
      stream.refusals++;
      stream.refusedUnits.refuse(unit.hi, unit.lo, stream.refusals);
      stream.refuse(flight.number, this.#leases.tableIndex(), Uint32Array.of(unit.hi, unit.lo), stream.refusals);
    }
    for (const stream of touched) stream.settle();
  }

  /**
   * A stream has ended: what of it waits comes again on another one. Kept, it would be there as often as streams end while
   * the store is away.
   */
  drop(ended: HolderStream): void {
    if (!ended.flights.some(({ waiting }) => waiting > 0)) return;
    for (const unit of this.#units) {
      if (unit.waiting === null) continue;
      const left = unit.waiting.filter(({ stream }) => stream !== ended);
      unit.waiting = left.length > 0 ? left : null;
    }
  }

  /** The unit isn't held any more, or its store is another one: all that waited for it goes back. */
  giveBack(unit: HeldUnit): void {
    const { waiting } = unit;
    unit.waiting = null;
    if (waiting === null) return;
    for (const record of waiting) record.flight.waiting--;
    this.#refuse(unit, waiting);
  }
}
