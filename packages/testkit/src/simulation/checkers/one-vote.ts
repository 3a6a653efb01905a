import type { RaftMessage } from '@holdfast/raft';
import type { Report } from './report.ts';

/** I17: one vote per node and term, over restarts. */
export class OneVote {
  readonly #report: Report;
  readonly #votes = new Map<string, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  get count(): number {
    return this.#votes.size;
  }

  onSent(message: RaftMessage): void {
    const { type, from, to, term } = message;
    const candidate = type === 'vote' ? from : type === 'voteReply' && message.granted ? to : null;
    if (candidate === null) return;
    const key = `${from}/${term}`;
    const known = this.#votes.get(key);
    if (known !== undefined && known !== candidate) {
      this.#report(`I17: ${from} votes for ${candidate} in term ${term}, and has voted for ${known}`);
    }
    this.#votes.set(key, candidate);
  }
}
