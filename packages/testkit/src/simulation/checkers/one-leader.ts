import type { RaftMessage } from '@holdfast/raft';
import type { Report } from './report.ts';

/** I11: at most one leader per term, seen by who sends what only leaders send. */
export class OneLeader {
  readonly #report: Report;
  readonly #leaders = new Map<number, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Elections that somebody won. */
  get count(): number {
    return this.#leaders.size;
  }

  /** @returns whether the sender has just begun to lead */
  onSent({ type, term, from }: RaftMessage): boolean {
    if (type !== 'append' && type !== 'heartbeat' && type !== 'commit' && type !== 'snapshot') return false;
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== from) this.#report(`I11: ${known} and ${from} both lead in term ${term}`);
    this.#leaders.set(term, known ?? from);
    return known === undefined;
  }
}
