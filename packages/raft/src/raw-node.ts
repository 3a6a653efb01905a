import { assert } from '@holdfast/model';
import { RaftCore } from './core.ts';
import { campaign, countOwnVote, tickElection } from './election.ts';
import { onSnapshotReport, onUnreachable, propose, tickLeader, transferLeadership } from './leader.ts';
import type { RaftMessage } from './messages.ts';
import { requestRead } from './reads.ts';
import { flush, isFlushDue, maybeCommit } from './replication.ts';
import { step } from './step.ts';
import type {
  HardState,
  PeerStatus,
  ProposeResult,
  RaftEntry,
  RaftOptions,
  RaftStatus,
  ReadContext,
  ReadIndexResult,
  Ready,
  Snapshot,
  SoftState,
  TransferResult,
} from './types.ts';

/**
 * One voter, without clock, disk or network: the driver calls `tick` at a steady pace, `step` for each message that
 * arrives, and carries out what `ready` returns, in the order that `Ready` states. Between `ready` and `advance`
 * anything else may be called, but no second `ready`.
 *
 * All methods throw InvariantError if the state can't be trusted any more: the node must then end.
 */
export class RawNode {
  readonly #core: RaftCore;
  #inFlight: Ready | null = null;
  #softState: SoftState = { role: 'follower', leader: null };

  /** @throws InvariantError if what was restored contradicts itself, or an option makes no sense */
  constructor(options: RaftOptions) {
    this.#core = new RaftCore(options);
  }

  /** A step of time. The election timeout and the heartbeat are counted in these. */
  tick(): void {
    if (this.#core.role === 'leader') tickLeader(this.#core);
    else tickElection(this.#core);
  }

  /** Takes a message from another voter; one for another node, or out of date, is ignored. */
  step(message: RaftMessage): void {
    step(this.#core, message);
  }

  /** Stands for election now, without waiting for the timeout. */
  campaign(): void {
    campaign(this.#core, false);
  }

  /**
   * Puts `data` (at least one byte, not copied) into the log. It is committed once it comes back among
   * `committedEntries` with this index and this term; with another term there, it was lost.
   */
  propose(data: Uint8Array): ProposeResult {
    return propose(this.#core, data);
  }

  /** Hands leadership to `to`. Proposals are refused until that is done, or an election timeout has passed. */
  transferLeadership(to: string): TransferResult {
    return transferLeadership(this.#core, to);
  }

  /**
   * Asks for the index that a read has to wait for to be linearizable; it comes as one of `readStates`. It may never
   * come (a lost message, a change of leader): the caller asks again after a timeout or a change of `softState`.
   */
  readIndex(context: ReadContext): ReadIndexResult {
    return requestRead(this.#core, context);
  }

  /** Messages to `peer` could not be sent. */
  reportUnreachable(peer: string): void {
    onUnreachable(this.#core, peer);
  }

  /** A snapshot message to `peer` was sent in full (`ok`) or could not be. */
  reportSnapshot(peer: string, ok: boolean): void {
    onSnapshotReport(this.#core, peer, ok);
  }

  /** Would `ready` return anything? False while a Ready is under way. */
  hasReady(): boolean {
    if (this.#inFlight !== null) return false;
    const core = this.#core;
    return (
      core.outbox.length > 0 ||
      core.readStates.length > 0 ||
      core.log.pendingSnapshot !== null ||
      core.log.hasUnstable ||
      core.log.hasCommittedToApply ||
      this.#isHardStateNew() ||
      this.#isSoftStateNew() ||
      isFlushDue(core)
    );
  }

  /** Takes the work that has come up. To be given back to `advance` when done, before the next call. */
  ready(): Ready {
    assert(this.#inFlight === null, 'ready was called before advance');
    const core = this.#core;
    flush(core);
    const isHardStateNew = this.#isHardStateNew();
    const softState = this.#isSoftStateNew() ? { role: core.role, leader: core.leader } : null;
    const entries = core.log.unstableEntries();
    const snapshot = core.log.pendingSnapshot;
    const ready: Ready = {
      hardState: isHardStateNew ? core.hardState : null,
      softState,
      entries,
      snapshot,
      committedEntries: core.log.committedToApply(core.options.applyBytesMax),
      messages: core.outbox,
      readStates: core.readStates,
      // A commit index alone can be learnt again.
      mustSync: entries.length > 0 || snapshot !== null || this.#isVoteNew(),
    };
    core.outbox = [];
    core.readStates = [];
    if (softState !== null) this.#softState = softState;
    this.#inFlight = ready;
    return ready;
  }

  /** The work of `ready` is done: persisted, sent and applied. Only now does what this node wrote count for a quorum. */
  advance(ready: Ready): void {
    assert(ready === this.#inFlight, 'advance needs the Ready under way');
    this.#inFlight = null;
    const core = this.#core;
    if (ready.hardState !== null) core.persisted = ready.hardState;
    if (ready.snapshot !== null) core.log.snapshotPersisted(ready.snapshot);
    this.#entriesPersisted(ready.entries);
    const lastApplied = ready.committedEntries[ready.committedEntries.length - 1];
    if (lastApplied !== undefined) core.log.appliedTo(lastApplied.index);
    if (core.role === 'leader') maybeCommit(core);
    else countOwnVote(core);
  }

  /**
   * Gives the applied state at `throughIndex` as a snapshot and drops the entries up to there from memory, all but the
   * last `trailingEntries`, which spare a follower that is a little behind from taking the snapshot.
   * @param throughIndex at most `status().applied`
   * @returns the snapshot, to be persisted before entries are removed from the disk; null if there is a newer one
   */
  compact(throughIndex: number, data: Uint8Array, trailingEntries = 0): Snapshot | null {
    const { log, voters } = this.#core;
    assert(throughIndex <= log.applied, `compaction through ${throughIndex}, but applied is ${log.applied}`);
    if (throughIndex <= (log.snapshot?.index ?? 0) || log.pendingSnapshot !== null) return null;
    const term = log.termAt(throughIndex);
    assert(term !== null, `entry ${throughIndex} was dropped`);
    const snapshot: Snapshot = { index: throughIndex, term, voters, data };
    log.compact(snapshot, trailingEntries);
    return snapshot;
  }

  /** Term of the entry at `index`; null if it was dropped or isn't there. */
  termAt(index: number): number | null {
    return this.#core.log.termAt(index);
  }

  status(): RaftStatus {
    const core = this.#core;
    const progress = new Map<string, PeerStatus>();
    for (const [peer, { match, next, state, recentActive }] of core.progress) {
      progress.set(peer, { match, next, state, recentActive });
    }
    return {
      id: core.id,
      role: core.role,
      term: core.term,
      vote: core.vote,
      leader: core.leader,
      commit: core.log.commit,
      applied: core.log.applied,
      lastIndex: core.log.lastIndex,
      voters: core.voters,
      transferee: core.transferee,
      progress,
    };
  }

  /** What was cut off and replaced since the Ready was taken is not on disk, but all before it is. */
  #entriesPersisted(entries: readonly RaftEntry[]): void {
    const { log } = this.#core;
    for (let i = entries.length - 1; i >= 0; i--) {
      const { index, term } = entries[i]!;
      if (!log.matches(index, term)) continue;
      log.stableTo(index, term);
      return;
    }
  }

  #isVoteNew(): boolean {
    const { persisted, term, vote } = this.#core;
    return persisted.term !== term || persisted.vote !== vote;
  }

  #isHardStateNew(): boolean {
    const persisted: HardState = this.#core.persisted;
    return this.#isVoteNew() || persisted.commit !== this.#core.log.commit;
  }

  #isSoftStateNew(): boolean {
    return this.#core.role !== this.#softState.role || this.#core.leader !== this.#softState.leader;
  }
}
