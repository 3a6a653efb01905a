import { ByteFormatError } from '@holdfast/model';
import type { RecordCounters } from '../counters.ts';
import type { Job } from '../job.ts';
import type { PartitionBook } from '../partition-book.ts';
import type { Quarantine } from '../quarantine.ts';
import type { ClosingUnits } from './closing-units.ts';
import type { FaultyUnits } from './faulty-units.ts';
import type { HeldUnit } from './held-unit.ts';
import { loadRow, OtherJobError } from './unit-row.ts';
import { UnreadableRowError } from './unreadable-row-error.ts';

/** A unit that has just been sealed, and why: to be told. */
export interface SealedUnit {
  readonly hi: number;
  readonly lo: number;
  readonly problem: UnreadableRowError;
}

export interface SealedUnitsParts {
  readonly job: Pick<Job, 'name'>;
  readonly partitions: PartitionBook;
  readonly quarantine: Quarantine;
  readonly closing: ClosingUnits;
  readonly faulty: FaultyUnits;
  readonly counters: RecordCounters;
}

/**
 * Units in quarantine with a stored row that can't be read (PROTOCOL.md 5.6): each of their records becomes a dead letter,
 * and no row of them is written, so that what is stored stays as it is. What vouches for a record is its letter alone:
 * rounds wait for those that were emitted before them, and a clean end for all.
 */
export class SealedUnits {
  readonly #parts: SealedUnitsParts;
  readonly #units = new Set<HeldUnit>();
  #toTell: SealedUnit[] = [];
  #indexSeen = 0;

  constructor(parts: SealedUnitsParts) {
    this.#parts = parts;
  }

  /**
   * Puts what a claim has found into its unit: it is open then. Where that can't be read it is sealed, or faulty until it
   * is in quarantine: whoever claims it next seals it.
   */
  load(unit: HeldUnit, row: Uint8Array | UnreadableRowError | null): void {
    const { job, partitions, quarantine, faulty, counters } = this.#parts;
    const problem = row === null ? null : loadOrWhyNot(unit, row, job, partitions);
    if (problem !== null && !quarantine.hasAll(unit.hi, unit.lo)) {
      faulty.add(unit, problem);
      return;
    }
    unit.phase = 'open';
    counters.unitsClaimed++;
    if (problem === null) return;
    unit.rowless = true;
    this.#units.add(unit);
    this.#toTell.push({ hi: unit.hi, lo: unit.lo, problem });
  }

  /** Closes those that were released, before a record of them comes: they are claimed anew, with what is stored by then. */
  check(): void {
    const { quarantine, closing } = this.#parts;
    if (quarantine.index === this.#indexSeen) return;
    this.#indexSeen = quarantine.index;
    for (const unit of this.#units) {
      if (unit.phase === 'open' && !quarantine.hasAll(unit.hi, unit.lo)) closing.close(unit);
    }
  }

  /** The store is another one: the unit has to be claimed there. What it has buried may be asked of it again. */
  open(unit: HeldUnit): void {
    this.#units.delete(unit);
    unit.rowless = false;
    unit.phase = 'claiming';
    unit.slots.length = 0;
    unit.offsets.length = 0;
  }

  dropped(unit: HeldUnit): void {
    this.#units.delete(unit);
  }

  /** Those that were sealed since it was last asked. */
  takeSealed(): SealedUnit[] {
    const taken = this.#toTell;
    this.#toTell = [];
    return taken;
  }
}

/** Null: it is loaded. */
function loadOrWhyNot(
  unit: HeldUnit,
  row: Uint8Array | UnreadableRowError,
  job: Pick<Job, 'name'>,
  partitions: PartitionBook,
): UnreadableRowError | null {
  if (row instanceof UnreadableRowError) return row;
  try {
    loadRow(unit, row, job, partitions);
    return null;
  } catch (error) {
    if (error instanceof OtherJobError) throw error;
    // Whatever else reads it may say what it has found, and that may be of the user's key.
    const what = error instanceof ByteFormatError ? `: ${error.message}` : '';
    return new UnreadableRowError(`the stored row is of another format, or damaged${what}`);
  }
}
