import type { LeaseTable } from '@holdfast/lease';
import { unitKey } from './lease-model.ts';
import type { Report } from './report.ts';

/** I4: each lease of a unit, and of a partition, has a higher epoch than all before it, and than all that store and log had seen. */
export class EpochsRise {
  readonly #report: Report;
  readonly #floor: number;
  readonly #last = new Map<string, number>();
  grants = 0;

  /** @param floor the highest epoch in store and log when the cluster was founded */
  constructor(report: Report, floor: number) {
    this.#report = report;
    this.#floor = floor;
  }

  afterEntry(table: LeaseTable): void {
    const { reader } = table;
    table.visitUnits((hi, lo) => {
      if (reader.lookup(hi, lo)) this.#seen(unitKey(hi, lo), reader.epoch);
    });
    for (const { topicId } of table.topics()) {
      for (const [partition, lease] of table.partitionLeases(topicId).entries()) {
        if (lease !== null) this.#seen(`${topicId}/${partition}`, lease.epoch);
      }
    }
  }

  #seen(what: string, epoch: number): void {
    const last = this.#last.get(what) ?? this.#floor;
    if (epoch === last) return;
    if (epoch < last) this.#report(`I4: ${what} is leased under epoch ${epoch}, after ${last}`);
    this.#last.set(what, epoch);
    this.grants++;
  }
}
