import type { Report } from '../../simulation/checkers/report.ts';
import type { VirtualNode } from '../virtual-cluster.ts';

/** I21: a node's rumours and its table stay under their limits. */
export class BoundedTables {
  readonly #report: Report;
  looks = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  look({ id, state }: VirtualNode): void {
    if (state === null) return;
    this.looks++;
    const { rumours, view, options } = state;
    if (rumours.count > options.rumoursMax) this.#report(`I21: ${id} has ${rumours.count} rumours`);
    if (view.members.size > options.membersMax)
      this.#report(`I21: the table of ${id} has ${view.members.size} members`);
  }
}
