import type { RaftRestored } from '@holdfast/engine';
import type { ConfState, RaftMessage } from '@holdfast/raft';
import { lastOnDisk, termOnDisk } from '../simulated-disk.ts';
import type { Report } from './report.ts';

/**
 * I16: nothing based on an entry or a vote leaves before it is durable; what is committed is durable on a quorum. A leader's
 * entries may leave before they are on its own disk: that copy counts for the quorum only then.
 */
export class Durability {
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  onSent(message: RaftMessage, disk: RaftRestored): void {
    const { from, to, term, type } = message;
    const { hardState } = disk;
    const isPreVote = type === 'preVote' || (type === 'preVoteReply' && message.granted);
    if (!isPreVote && hardState.term < term)
      this.#report(`I16: ${type} of ${from} in term ${term}, its disk has ${hardState.term}`);
    const candidate = type === 'vote' ? from : type === 'voteReply' && message.granted ? to : null;
    if (candidate !== null && hardState.term === term && hardState.vote !== candidate) {
      this.#report(`I16: the vote of ${from} for ${candidate} in term ${term} isn't on its disk`);
    }
    if ((type === 'appendReply' && !message.reject) || type === 'snapshotReply') {
      // In a later term the log may have been cut again; the acknowledgement was true when its term ended.
      if (hardState.term === term && lastOnDisk(disk) < message.index) {
        this.#report(`I16: ${from} acknowledges ${message.index}, its disk ends at ${lastOnDisk(disk)}`);
      }
    }
  }

  /** @param confs it has to be on a quorum of one of them: a leader counts by the one that it has applied */
  onCommitted(
    index: number,
    term: number,
    confs: readonly ConfState[],
    diskOf: (member: string) => RaftRestored,
  ): void {
    // The configuration with which a cluster is founded counts as committed at its founder.
    if (index === 1) return;
    const isHeldBy = (member: string): boolean => {
      const disk = diskOf(member);
      return (disk.snapshot?.index ?? 0) >= index || termOnDisk(disk, index) === term;
    };
    const isOnMajority = (voters: readonly string[]): boolean => voters.filter(isHeldBy).length > voters.length / 2;
    const isDurable = ({ voters, votersOutgoing }: ConfState): boolean =>
      isOnMajority(voters) && (votersOutgoing.length === 0 || isOnMajority(votersOutgoing));
    if (confs.some(isDurable)) return;
    const members = [...new Set(confs.flatMap(({ voters, votersOutgoing }) => [...voters, ...votersOutgoing]))];
    const holders = members.filter(isHeldBy);
    this.#report(
      `I16: ${index} of term ${term} is committed, but durable only at ${holders.join()} of ${members.join()}`,
    );
  }
}
