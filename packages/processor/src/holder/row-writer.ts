import type { RecordCounters } from '../counters.ts';
import type { Job } from '../job.ts';
import type { PartitionBook } from '../partition-book.ts';
import type { ClosingUnits } from './closing-units.ts';
import type { FaultyUnits } from './faulty-units.ts';
import type { HeldUnit } from './held-unit.ts';
import type { MarkerBook } from './marker-book.ts';
import type { Rounds } from './rounds.ts';
import { encodeUnit } from './unit-row.ts';
import type { UnitStore } from './unit-store.ts';
import { UnreadableRowError } from './unreadable-row-error.ts';
import type { RowWish } from './wishes.ts';

export interface RowWriterParts {
  readonly job: Job;
  readonly units: UnitStore;
  readonly partitions: PartitionBook;
  readonly markers: MarkerBook;
  readonly rounds: Rounds;
  readonly closing: ClosingUnits;
  readonly faulty: FaultyUnits;
  readonly counters: RecordCounters;
}

/** Rows on their way to the store: what each is made of, and what its answer means (PROTOCOL.md 5.1, 5.4). */
export class RowWriter {
  readonly #parts: RowWriterParts;

  constructor(parts: RowWriterParts) {
    this.#parts = parts;
  }

  /** Rows to write now. `onTaken` is called for each unit once its row is made, or can't be: what is applied from then on is the next row's. */
  take(max: number, nowMs: number, onTaken: (unit: HeldUnit) => void): RowWish[] {
    const { rounds } = this.#parts;
    const rows: RowWish[] = [];
    for (const unit of rounds.takeUnits(max)) {
      const { hi, lo, epoch, version } = unit;
      const row = this.#encode(unit);
      if (row !== null) {
        unit.dirtySinceMs = nowMs;
        rows.push({ hi, lo, epoch, seq: ++unit.seq, row, version });
      }
      onTaken(unit);
    }
    return rows;
  }

  /** Null: it can't be made. The unit's round doesn't end before it is dropped. */
  #encode(unit: HeldUnit): Uint8Array | null {
    const { job, markers, partitions, faulty } = this.#parts;
    try {
      return encodeUnit(unit, job, markers, partitions);
    } catch (error) {
      faulty.add(unit, error);
      return null;
    }
  }

  accepted(row: RowWish, nowMs: number): void {
    const unit = this.#flying(row);
    if (unit === null) return;
    const { counters, rounds, closing } = this.#parts;
    unit.flyingVersion = -1;
    unit.lastSavedMs = nowMs;
    counters.backupsAccepted++;
    counters.backupBytes += row.row.length;
    rounds.saved(unit, row.version);
    if (unit.phase === 'closing') closing.saved(unit);
  }

  /** What is stored of the unit can't be read: no row of it will ever be accepted. */
  corrupt(row: RowWish, problem: string): void {
    const unit = this.#flying(row);
    if (unit === null) return;
    unit.flyingVersion = -1;
    this.#parts.faulty.add(unit, new UnreadableRowError(problem));
  }

  stale(row: RowWish): void {
    const unit = this.#flying(row);
    if (unit === null) return;
    unit.flyingVersion = -1;
    this.#parts.rounds.again(unit);
  }

  #flying(row: RowWish): HeldUnit | null {
    const unit = this.#parts.units.get(row.hi, row.lo);
    return unit !== null && unit.epoch === row.epoch && unit.seq === row.seq && unit.flyingVersion === row.version
      ? unit
      : null;
  }
}
