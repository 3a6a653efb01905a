import type { MemberChange } from '@holdfast/membership';
import type { Report } from '../../simulation/checkers/report.ts';
import type { VirtualCluster, VirtualNode } from '../virtual-cluster.ts';

/** A verdict that the truth contradicts. */
export interface FalseDeath {
  readonly atMs: number;
  readonly observer: VirtualNode;
  readonly member: VirtualNode;
  /** The member had been up, running and connected for a while: I18 is broken. */
  readonly isUnexcused: boolean;
}

/** For so long the accused must have been well for a verdict to break I18; a stall of the observer is no excuse. */
const wellForMs = 8_000;

/** I18: nobody is declared dead who is up, running and connected. Keeps false deaths that something excuses, too. */
export class NoFalseDeath {
  readonly #cluster: VirtualCluster;
  readonly #report: Report;
  readonly deaths: FalseDeath[] = [];
  /** When the network between all was last other than whole; infinite while it is. */
  lastCutMs = Number.NEGATIVE_INFINITY;
  /** For so long the network excused nothing. */
  judgedMs = 0;
  #lookedAtMs = 0;

  constructor(cluster: VirtualCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onChange(observer: VirtualNode, change: MemberChange): void {
    if (change.kind !== 'died') return;
    const { nowMs } = this.#cluster;
    const member = this.#cluster.node(change.member.id);
    if (member.state === null || change.member.meta.startCounter !== member.startCounter) return;
    const wellSinceMs = Math.max(member.upSinceMs, member.lastStallMs, this.lastCutMs);
    const isUnexcused = nowMs - wellSinceMs > wellForMs;
    this.deaths.push({ atMs: nowMs, observer, member, isUnexcused });
    if (!isUnexcused) return;
    this.#report(
      `I18: ${observer.id} declared ${member.id} dead at ${nowMs.toFixed(0)} ms, well since ${wellSinceMs.toFixed(0)}`,
    );
  }

  /** Between faults: the network is now broken, or is whole again since. */
  networkIs(state: 'broken' | 'whole'): void {
    this.countTime();
    if (state === 'broken') this.lastCutMs = Number.POSITIVE_INFINITY;
    else if (this.lastCutMs === Number.POSITIVE_INFINITY) this.lastCutMs = this.#cluster.nowMs;
  }

  /** Adds the time since the last count, as far as it was judged. */
  countTime(): void {
    const { nowMs } = this.#cluster;
    this.judgedMs += Math.max(0, nowMs - Math.max(this.#lookedAtMs, this.lastCutMs + wellForMs));
    this.#lookedAtMs = nowMs;
  }
}
