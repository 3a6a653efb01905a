import type { RaftRestored } from '@holdfast/engine';
import type { HardState, RaftMessage } from '@holdfast/raft';
import type { Report } from './report.ts';

/** I15: a node's term never falls, over restarts too; its commit index never below what it has on disk. */
export class HardStates {
  readonly #report: Report;
  /** Highest term that each node has ever spoken in, by `from>to`: to different nodes things leave in any order. */
  readonly #terms = new Map<string, number>();

  constructor(report: Report) {
    this.#report = report;
  }

  onSent(message: RaftMessage): void {
    const { from, to, term, type } = message;
    // A pre-vote names a term that may never come.
    if (type === 'preVote' || (type === 'preVoteReply' && message.granted)) return;
    const key = `${from}>${to}`;
    const before = this.#terms.get(key) ?? 0;
    if (term < before) this.#report(`I15: ${from} sends ${type} to ${to} in term ${term}, after term ${before}`);
    else this.#terms.set(key, term);
  }

  onSynced(node: string, { hardState: before }: RaftRestored, { hardState: after }: RaftRestored): void {
    if (after.term < before.term)
      this.#report(`I15: the term of ${node} falls from ${before.term} to ${after.term} on disk`);
    if (after.commit < before.commit) {
      this.#report(`I15: the commit index of ${node} falls from ${before.commit} to ${after.commit} on disk`);
    }
  }

  onStarted(node: string, disk: HardState, shown: { readonly term: number; readonly commit: number }): void {
    if (shown.term < disk.term) this.#report(`I15: ${node} begins in term ${shown.term}, its disk says ${disk.term}`);
    if (shown.commit < disk.commit) {
      this.#report(`I15: ${node} begins with commit index ${shown.commit}, its disk says ${disk.commit}`);
    }
  }
}
