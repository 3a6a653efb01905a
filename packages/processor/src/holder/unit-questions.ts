import { partitionKey } from '@holdfast/model';
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

  /** A user's state as it is now; null when its unit isn't open here. */
  user(hi: number, lo: number, key: Uint8Array): { unit: HeldUnit; user: HeldUser | null } | null {
    const unit = this.#units.get(hi, lo);
    if (unit === null || unit.phase === 'claiming') return null;
    const user = findUser(unit, key);
    return { unit, user: user !== null && unit.phase !== 'faulty' && this.#isReadable(user) ? user : null };
  }

  /** Nobody is shown what can't be read; asking makes no unit faulty. */
  #isReadable(user: HeldUser): boolean {
    try {
      readState(user, this.#job);
      return true;
    } catch {
      return false;
    }
  }

  /** Last applied offset per partition that the unit has a vector entry for. */
  vectorOf(unit: HeldUnit): Record<string, number> {
    return Object.fromEntries(
      unit.slots.map((slot, i) => [partitionKey(this.#partitions.ids[slot]!), unit.offsets[i]!]),
    );
  }
}
