import { errorText, partitionKey } from '@holdfast/model';
import type { Job } from '../job.ts';
import type { PartitionBook } from '../partition-book.ts';
import { findUser } from './applier.ts';
import type { HeldUnit, HeldUser } from './held-unit.ts';
import type { HotUnitCount, HotUnits } from './hot-units.ts';
import { readState } from './unit-row.ts';
import type { UnitStore } from './unit-store.ts';

export interface UnitQuestionsParts {
  readonly job: Job;
  readonly units: UnitStore;
  readonly partitions: PartitionBook;
  readonly hot: HotUnits;
}

export interface UserFound {
  readonly unit: HeldUnit;
  /** Null: the unit doesn't have it, or it can't be shown. */
  readonly user: HeldUser | null;
  readonly error: string | null;
}

/** What a holder says about its units; asking changes nothing that counts. */
export class UnitQuestions {
  readonly #job: Job;
  readonly #units: UnitStore;
  readonly #partitions: PartitionBook;
  readonly #hot: HotUnits;

  constructor({ job, units, partitions, hot }: UnitQuestionsParts) {
    this.#job = job;
    this.#units = units;
    this.#partitions = partitions;
    this.#hot = hot;
  }

  /** The units with most records, the hottest first, each with its first user's key; null while the window goes on. */
  hotUnits(nowMs: number, max: number): (HotUnitCount & { readonly key: Uint8Array | null })[] | null {
    const hot = this.#hot.windowEnded(nowMs, max);
    return hot?.map((unit) => ({ ...unit, key: this.#units.get(unit.hi, unit.lo)?.users[0]?.key ?? null })) ?? null;
  }

  /** A user's state as it is now, or why it can't be shown; null when its unit isn't open here. */
  user(hi: number, lo: number, key: Uint8Array): UserFound | null {
    const unit = this.#units.get(hi, lo);
    if (unit === null || unit.phase === 'claiming') return null;
    const user = findUser(unit, key);
    const error = this.#faultOf(unit, user);
    return { unit, user: error === null ? user : null, error };
  }

  /** Asking makes no unit faulty. */
  #faultOf(unit: HeldUnit, user: HeldUser | null): string | null {
    if (unit.phase === 'faulty') return "it can't be backed up, or read";
    if (unit.phase === 'open' && unit.rowless) return "its stored row can't be read";
    if (user === null) return null;
    try {
      readState(user, this.#job);
      return null;
    } catch (error) {
      return errorText(error);
    }
  }

  /** Last applied offset per partition that the unit has a vector entry for. */
  vectorOf(unit: HeldUnit): Record<string, number> {
    return Object.fromEntries(
      unit.slots.map((slot, i) => [partitionKey(this.#partitions.ids[slot]!), unit.offsets[i]!]),
    );
  }
}
