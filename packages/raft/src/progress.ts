import type { SnapshotTransfer } from './snapshot-pieces.ts';
import type { ProgressState } from './types.ts';

export interface ProgressLimits {
  /** Append messages under way. */
  readonly messagesMax: number;
  /** Their payload. */
  readonly bytesMax: number;
  /** Silence after which a follower doesn't count as active. */
  readonly activeTicks: number;
}

/**
 * What a leader knows of one follower's log, and how fast it may send.
 *
 * probe: where the logs agree is not known; one append at a time, until answered (or nudged by a heartbeat's answer).
 * replicate: they agree up to `match`; appends are sent ahead of their answers, up to a limit in number and bytes.
 * snapshot: the follower needs entries that were dropped; pieces of the snapshot, until all of it is answered.
 *
 *   probe --accepted--> replicate --rejected, unreachable--> probe
 *   probe, replicate --entry dropped--> snapshot --answered--> replicate; --failed, reported--> probe
 *   snapshot --timeout--> snapshot; --timeout, and what follows it was dropped--> probe
 */
export class Progress {
  /** Known to be held durably by the follower. */
  match = 0;
  /** Next index to send. */
  next: number;
  state: ProgressState = 'probe';
  /** Highest commit index the follower was told, as far as known. */
  commitSent = 0;
  /** Something may have been lost: an append is due, be it empty, so that its answer tells. */
  nudge = false;
  /** The snapshot under way. */
  transfer: SnapshotTransfer | null = null;
  #silentTicks = Number.POSITIVE_INFINITY;
  #probeSent = false;
  /** Last index and payload of each append under way, ascending. */
  readonly #inflight: { readonly index: number; readonly bytes: number }[] = [];
  #inflightBytes = 0;
  readonly #limits: ProgressLimits;

  constructor(next: number, limits: ProgressLimits) {
    this.next = next;
    this.#limits = limits;
  }

  /** Heard from within the last election timeout. */
  get recentActive(): boolean {
    return this.#silentTicks <= this.#limits.activeTicks;
  }

  /** May another append with entries be sent now? */
  get canCarryEntries(): boolean {
    if (this.state === 'probe') return !this.#probeSent;
    const { messagesMax, bytesMax } = this.#limits;
    return this.state === 'replicate' && this.#inflight.length < messagesMax && this.#inflightBytes < bytesMax;
  }

  /** Payload that the next append may carry; one entry may always be over it. */
  get bytesLeft(): number {
    return this.state === 'replicate'
      ? Math.max(0, this.#limits.bytesMax - this.#inflightBytes)
      : this.#limits.bytesMax;
  }

  /** Is an append due, given the leader's log? */
  appendDue(lastIndex: number): boolean {
    if (this.state === 'probe') return !this.#probeSent;
    if (this.state === 'snapshot') return false;
    return this.nudge || (this.canCarryEntries && this.next <= lastIndex);
  }

  /** Up to here the follower holds the leader's log, or will once what is on its way has arrived. */
  get sentThrough(): number {
    return this.state === 'replicate' ? this.next - 1 : this.match;
  }

  get isPieceDue(): boolean {
    return this.transfer?.isPieceDue === true && this.recentActive;
  }

  /** Notes an append with entries up to `lastIndex`, or none if that is below `next`. */
  appendSent(lastIndex: number, bytes: number, commit: number): void {
    this.nudge = false;
    this.commitSent = Math.max(this.commitSent, Math.min(commit, lastIndex));
    if (this.state === 'probe') {
      this.#probeSent = true;
    } else if (lastIndex >= this.next) {
      this.next = lastIndex + 1;
      this.#inflight.push({ index: lastIndex, bytes });
      this.#inflightBytes += bytes;
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
    while (freed < this.#inflight.length && this.#inflight[freed]!.index <= index) {
      this.#inflightBytes -= this.#inflight[freed]!.bytes;
      freed++;
    }
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

  /** Some message came from the follower. */
  alive(): void {
    this.#silentTicks = 0;
  }

  tick(): void {
    this.#silentTicks++;
    this.transfer?.tick();
  }

  /** An answer to a heartbeat: what is not acknowledged by now may have been lost. */
  heard(lastIndex: number): void {
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

  becomeSnapshot(transfer: SnapshotTransfer): void {
    this.#leaveState('snapshot');
    this.transfer = transfer;
    this.next = transfer.index + 1;
  }

  #leaveState(state: ProgressState): void {
    this.state = state;
    this.nudge = false;
    this.transfer = null;
    this.#probeSent = false;
    this.#inflight.length = 0;
    this.#inflightBytes = 0;
  }
}
