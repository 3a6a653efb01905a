import type { Claim, RowWrite } from '@holdfast/engine';
import type { LeaseRecord } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';
import { type LeaseModel, unitKey } from '../../simulation/checkers/lease-model.ts';
import type { Report } from '../../simulation/checkers/report.ts';
import type { Applier } from './one-applier.ts';

/** I4: whatever epoch a shard shows to the store, the log gave it to that shard, for that unit, and to nobody else. */
export class GrantedEpochs {
  readonly #report: Report;
  readonly #model: LeaseModel;
  readonly #holderOf = new Map<string, string>();
  claims = 0;

  constructor(report: Report, model: LeaseModel) {
    this.#report = report;
    this.#model = model;
  }

  /** After the model has taken it. */
  onRecord(record: LeaseRecord, index: number): void {
    if (record.kind !== 'granted' && record.kind !== 'moved') return;
    const epoch = this.#model.base + index;
    for (let i = 0; i < record.units.length; i += 2) {
      const unit = unitKey(record.units[i]!, record.units[i + 1]!);
      const lease = this.#model.units.get(unit);
      if (lease?.epoch === epoch) this.#holderOf.set(`${unit}/${epoch}`, `${lease.session}/${lease.shard}`);
    }
  }

  onClaimed(shard: Applier, claim: Claim): void {
    this.claims++;
    this.#onShown(shard, claim, 'claims');
  }

  /** Whatever the store makes of it. */
  onBackup(shard: Applier, row: RowWrite): void {
    this.#onShown(shard, row, 'writes');
  }

  #onShown({ session, index }: Applier, { hi, lo, epoch }: Claim, does: 'claims' | 'writes'): void {
    const unit = formatUnit(hi, lo);
    const holder = this.#holderOf.get(`${unit}/${epoch}`);
    if (holder !== `${session}/${index}`)
      this.#report(
        `I4: ${session}/${index} ${does} unit ${unit} under epoch ${epoch}, which is ${holder ?? 'nobody'}'s`,
      );
  }
}
