import { PartitionEnds } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';
import type { QuarantinedUnit } from '@holdfast/processor';
import type { QuarantineNews, ToldUnit } from '../shard-messages.ts';

/** What a shard was told of quarantine: the sum of the news. */
export class ToldQuarantine {
  readonly #told = new Map<string, ToldUnit>();
  /** By their bytes, which units share that were released together, so that each is read once. */
  readonly #ends = new WeakMap<Uint8Array, PartitionEnds>();
  /** Of the entry up to which it is known. */
  index = 0;

  add({ changed, gone, index }: QuarantineNews): void {
    this.index = index;
    for (const { hi, lo } of gone) this.#told.delete(formatUnit(hi, lo));
    for (const unit of changed) this.#told.set(formatUnit(unit.hi, unit.lo), unit);
  }

  /** All of it, as holders need it. */
  get units(): QuarantinedUnit[] {
    return [...this.#told.values()].map(({ hi, lo, before }) => ({
      hi,
      lo,
      before: before === null ? null : this.#endsOf(before),
    }));
  }

  /** All of it as one message. */
  get news(): QuarantineNews {
    return { kind: 'quarantine', changed: [...this.#told.values()], gone: [], index: this.index };
  }

  #endsOf(bytes: Uint8Array): PartitionEnds {
    let ends = this.#ends.get(bytes);
    if (ends === undefined) this.#ends.set(bytes, (ends = PartitionEnds.trusted(bytes)));
    return ends;
  }
}
