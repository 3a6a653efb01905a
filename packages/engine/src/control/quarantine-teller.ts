import type { LeaseTable, QuarantinedUnit } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';
import type { QuarantineNews } from '../shard-messages.ts';

/**
 * What shards are told of quarantine: only what has changed, since a cluster may remember a thousand released units, with an
 * offset for each partition. Shards hear all news from their beginning on, so the first is the whole.
 */
export class QuarantineTeller {
  #told: readonly QuarantinedUnit[] = [];

  news({ quarantine, quarantineIndex: index }: LeaseTable): QuarantineNews {
    const { units } = quarantine;
    // A unit that hasn't changed is the same object, unless the table was replaced by a snapshot: all is told again then.
    const known = new Set(this.#told);
    const present = new Set(units);
    const changed = units
      .filter((unit) => !known.has(unit))
      .map(({ hi, lo, before }) => ({ hi, lo, before: before?.bytes ?? null }));
    const again = new Set(changed.map(({ hi, lo }) => formatUnit(hi, lo)));
    const gone = this.#told
      .filter((unit) => !present.has(unit) && !again.has(formatUnit(unit.hi, unit.lo)))
      .map(({ hi, lo }) => ({ hi, lo }));
    this.#told = units;
    return { kind: 'quarantine', changed, gone, index };
  }
}
