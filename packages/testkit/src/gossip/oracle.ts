import type { MemberChange } from '@holdfast/membership';
import type { Report } from '../simulation/checkers/report.ts';
import { fail } from '../simulation/failure.ts';
import { BoundedTables } from './checkers/bounded-tables.ts';
import { type FalseDeath, NoFalseDeath } from './checkers/no-false-death.ts';
import { OwnIncarnation } from './checkers/own-incarnation.ts';
import { viewDifference } from './checkers/true-views.ts';
import type { VirtualCluster, VirtualNode } from './virtual-cluster.ts';

/** Shows each change in each view to the checkers of a cluster, and counts what came by. */
export class GossipOracle {
  readonly #cluster: VirtualCluster;
  readonly deaths: NoFalseDeath;
  readonly incarnations: OwnIncarnation;
  readonly bounds: BoundedTables;
  readonly changes: Record<string, number> = {};

  /** @param report called with a broken invariant; `reportDeath` with one of I18, for those who don't only count them */
  constructor(cluster: VirtualCluster, report: Report = fail, reportDeath: Report = () => {}) {
    this.#cluster = cluster;
    this.deaths = new NoFalseDeath(cluster, reportDeath);
    this.incarnations = new OwnIncarnation(cluster, report);
    this.bounds = new BoundedTables(report);
    cluster.onChange = (observer, change) => this.#look(observer, change);
  }

  /** Deaths of nodes that were up and running, excused or not. */
  get falseDeaths(): readonly FalseDeath[] {
    return this.deaths.deaths;
  }

  /** Of these, those of some members, whoever the observer was. */
  deathsOf(member: (node: VirtualNode) => boolean): number {
    return this.falseDeaths.filter((death) => member(death.member)).length;
  }

  /** I20: where a view and the truth differ; null when all agree. */
  difference(): string | null {
    return viewDifference(this.#cluster);
  }

  #look(observer: VirtualNode, change: MemberChange): void {
    this.changes[change.kind] = (this.changes[change.kind] ?? 0) + 1;
    this.bounds.look(observer);
    if (!('member' in change)) return;
    this.#cluster.note(`${observer.id} ${change.kind} ${change.member.id} ${change.member.incarnation}`);
    this.incarnations.onChange(observer, change);
    this.deaths.onChange(observer, change);
  }
}
