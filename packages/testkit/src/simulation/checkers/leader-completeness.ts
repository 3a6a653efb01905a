import type { RaftRestored } from '@holdfast/engine';
import { termOnDisk } from '../simulated-disk.ts';
import type { CommittedLog } from './committed-log.ts';
import type { Report } from './report.ts';

/**
 * I13: committed entries are in every later leader's log. Later than the term in which they were committed, which may be
 * long after their own: who was elected before that, and learns of it when others have gone on, need not have them.
 */
export class LeaderCompleteness {
  readonly #report: Report;
  readonly #log: CommittedLog;

  constructor(report: Report, log: CommittedLog) {
    this.#report = report;
    this.#log = log;
  }

  /** A leader of `term` has every entry that was committed in earlier terms. */
  onNewLeader(node: string, term: number, disk: RaftRestored): void {
    for (let index = this.#log.lastIndex; index > 0; index--) {
      const committed = this.#log.entries[index]!;
      if (committed.committedInTerm >= term) continue;
      if ((disk.snapshot?.index ?? 0) >= index) return;
      const own = termOnDisk(disk, index);
      if (own === committed.term) continue;
      this.#report(
        `I13: ${node}, leader of term ${term}, has term ${own} at committed entry ${index} of ${committed.term}`,
      );
      return;
    }
  }
}
