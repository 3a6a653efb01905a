import { type LeaseModel, unitKey } from '../../simulation/checkers/lease-model.ts';
import type { Report } from '../../simulation/checkers/report.ts';
import { promptMs } from '../../simulation/checkers/session-times.ts';
import type { SimulatedShard } from '../simulated-shard.ts';

/**
 * I1: under one epoch one shard only ever works on a unit; and no two work on it at once under different epochs, as far
 * as their nodes run without pauses (a lease that an operator took away by force excepted).
 */
export class OneHolder {
  readonly #report: Report;
  readonly #model: LeaseModel;
  readonly #holderOf = new Map<string, SimulatedShard>();
  readonly #open = new Map<number, Set<SimulatedShard>>();
  acts = 0;

  constructor(report: Report, model: LeaseModel) {
    this.#report = report;
    this.#model = model;
  }

  onOpened(shard: SimulatedShard, unit: number, epoch: number): void {
    const key = `${unit}/${epoch}`;
    const known = this.#holderOf.get(key);
    if (known !== undefined && known !== shard) {
      this.#report(`I1: ${nameOf(shard)} works on unit ${unit} under epoch ${epoch}, as ${nameOf(known)} has`);
    }
    this.#holderOf.set(key, shard);
    const open = this.#open.get(unit);
    if (open === undefined) this.#open.set(unit, new Set([shard]));
    else open.add(shard);
  }

  onClosed(shard: SimulatedShard, unit: number): void {
    this.#open.get(unit)?.delete(shard);
  }

  onActed(shard: SimulatedShard, unit: number, epoch: number): void {
    this.acts++;
    if (!shard.settings.process.isPrompt(promptMs)) return;
    for (const other of this.#open.get(unit) ?? []) {
      if (other === shard || other.isEnded || !other.settings.process.isPrompt(promptMs)) continue;
      const otherEpoch = other.open.get(unit);
      const { hi, lo } = shard.settings.units[unit]!;
      const older = Math.min(epoch, otherEpoch ?? epoch);
      if (otherEpoch === undefined || this.#model.forced.has(`${unitKey(hi, lo)}/${older}`)) continue;
      this.#report(
        `I1: ${nameOf(shard)} works on unit ${unit} under epoch ${epoch} while ${nameOf(other)} does under ${otherEpoch}`,
      );
    }
  }
}

function nameOf({ settings, session }: SimulatedShard): string {
  return `${settings.nodeId}/${settings.index} (session ${session})`;
}
