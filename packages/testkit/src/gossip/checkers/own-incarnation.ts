import type { MemberChange } from '@holdfast/membership';
import type { Report } from '../../simulation/checkers/report.ts';
import type { VirtualCluster, VirtualNode } from '../virtual-cluster.ts';

/** I19: only a node raises its own incarnation, so nobody shows a higher one than it ever gave itself. */
export class OwnIncarnation {
  readonly #cluster: VirtualCluster;
  readonly #report: Report;
  looks = 0;

  constructor(cluster: VirtualCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onChange(observer: VirtualNode, change: MemberChange): void {
    if (!('member' in change)) return;
    this.looks++;
    const { id, incarnation } = change.member;
    const member = this.#cluster.node(id);
    // A node's own changes come before it is noted.
    const own = Math.max(member.incarnation, member.state?.self.incarnation ?? 0);
    if (incarnation > own) this.#report(`I19: ${observer.id} shows ${id} at ${incarnation}, above its own ${own}`);
  }
}
