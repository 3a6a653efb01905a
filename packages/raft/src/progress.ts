import type { ProgressState } from './types.ts';

/**
 * What a leader knows of one follower's log, and how fast it may send.
 *
 * probe: where the logs agree is not known; one append at a time, until answered (or nudged by a heartbeat's answer).
 * replicate: they agree up to `match`; appends are sent ahead of their answers, up to a limit.
 * snapshot: the follower needs entries that were dropped; nothing but heartbeats until the snapshot is answered.
 *
 *   probe --accepted--> replicate --rejected, unreachable--> probe
 *   probe, replicate --entry dropped--> snapshot --answered--> replicate; --failed, reported, timeout--> probe
 */
export class Progress {
  /** Known to be held durably by the follower. */
  match = 0;
  /** Next index to send. */
  next: number;
  state: ProgressState = 'probe';
  /** Heard from since the last check of the quorum. */
  recentActive = false;
  /** Highest commit index the follower was told, as far as known. */
  commitSent = 0;
  /** Something may have been lost: an append is due, be it empty, so that its answer tells. */
  nudge = false;
  /** Index of the snapshot under way. */
  pendingSnapshot = 0;
  snapshotTicks = 0;
  #probeSent = false;
  /** Last index of each append under way, ascending. */
  readonly #inflight: number[] = [];
  readonly #inflightMax: number;

  constructor(next: number, inflightMessagesMax: number) {
    this.next = next;
    this.#inflightMax = inflightMessagesMax;
  }

  /** May another append with entries be sent now? */
  get canCarryEntries(): boolean {
    if (this.state === 'probe') return !this.#probeSent;
    return this.state === 'replicate' && this.#inflight.length < this.#inflightMax;
  }

  /** Is an append due, given the leader's log? */
  appendDue(lastIndex: number, commit: number): boolean {
    if (this.state === 'probe') return !this.#probeSent;
    if (this.state === 'snapshot') return false;
    if (this.nudge) return true;
    if (!this.canCarryEntries) return false;
    return this.next <= lastIndex || Math.min(commit, this.next - 1) > this.commitSent;
  }

  /** Notes an append with entries up to `lastIndex`, or none if that is below `next`. */
  appendSent(lastIndex: number, commit: number): void {
    this.nudge = false;
    this.commitSent = Math.max(this.commitSent, Math.min(commit, lastIndex));
    if (this.state === 'probe') {
      this.#probeSent = true;
    } else if (lastIndex >= this.next) {
      this.next = lastIndex + 1;
      this.#inflight.push(lastIndex);
    }
  }

  /** Holds back a probe that would be useless until the follower is heard from. */
  holdProbe(): void {
    this.#probeSent = true;
  }

  /** The follower holds the log up to `index`. True if that is news. */
  acked(index: number): boolean {
    const isNews = index > this.match;
    if (isNews) this.match = index;
    this.next = Math.max(this.next, index + 1);
    let freed = 0;
    while (freed < this.#inflight.length && this.#inflight[freed]! <= index) freed++;
    if (freed > 0) this.#inflight.splice(0, freed);
    this.#probeSent = false;
    return isNews;
  }

  /**
   * The follower refused an append after `index`; the logs can agree at `hint` at best. Probes from there, unless the
   * answer is an old one.
   */
  rejected(index: number, hint: number): void {
    if (this.state === 'replicate') {
      if (index > this.match) this.becomeProbe(this.match + 1);
    } else if (this.state === 'probe' && this.next - 1 === index) {
      this.becomeProbe(Math.max(Math.min(index, hint + 1), this.match + 1));
    }
  }

  /** An answer to a heartbeat: the follower lives, so what is not acknowledged by now may have been lost. */
  heard(lastIndex: number): void {
    this.recentActive = true;
    this.#probeSent = false;
    if (this.state === 'replicate' && this.match < lastIndex) this.nudge = true;
  }

  becomeProbe(next: number): void {
    this.#leaveState('probe');
    this.next = next;
    // A refused append told nothing, and a lost one neither.
    this.commitSent = 0;
  }

  becomeReplicate(): void {
    this.#leaveState('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#leaveState('snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
  }

  #leaveState(state: ProgressState): void {
    this.state = state;
    this.nudge = false;
    this.pendingSnapshot = 0;
    this.snapshotTicks = 0;
    this.#probeSent = false;
    this.#inflight.length = 0;
  }
}
