import { assert } from '@holdfast/model';
import { type ConfState, type ConfTarget, decodeConfEntry, encodeConfEntry, isVoter, simpleConf } from './conf.ts';
import { afterConfApplied, canChangeConf, proposeConfChange } from './conf-change.ts';
import { RaftCore } from './core.ts';
import { campaign, campaignIfOwed, countOwnVote, tickElection } from './election.ts';
import { forwardProposal } from './forwarding.ts';
import { onSnapshotReport, onUnreachable, propose, tickLeader, transferLeadership } from './leader.ts';
import type { RaftMessage } from './messages.ts';
import { requestRead } from './reads.ts';
import { flush, isFlushDue, maybeCommit } from './replication.ts';
import { step } from './step.ts';
import type {
  ConfChangeResult,
  ForwardProposalResult,
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
 * One member, without clock, disk or network: the driver calls `tick` at a steady pace, `step` for each message that
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

  /** Takes a message from another member; one for another node, or out of date, is ignored. */
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

  /**
   * As `propose`, but sent to the leader if that is another node. What became of it comes as one of `forwardResults`, or
   * never (a lost message, a change of leader): it may then be in the log all the same.
   */
  forwardProposal(context: ReadContext, data: Uint8Array): ForwardProposalResult {
    return forwardProposal(this.#core, context, data);
  }

  /**
   * Puts a change of the members into the log, towards `target`; a joint configuration is left by itself. It is done
   * when `status().conf` is the target's. New voters must have been learners that caught up (`promotable`), and the new
   * voters must be able to go on. A leader that is to lose its vote hands over on the way.
   */
  proposeConfChange(target: ConfTarget): ConfChangeResult {
    return proposeConfChange(this.#core, target);
  }

  /** Has this member never heard or said anything: is there no term, entry or snapshot? */
  get isBlank(): boolean {
    const { term, log } = this.#core;
    return term === 0 && log.lastIndex === 0;
  }

  /**
   * Founds a cluster: the log of this blank member begins with a configuration that counts as committed, and it stands
   * for election at once. The caller makes sure that it is the only one to do so; the others start blank, without voters.
   */
  found(voters: readonly string[]): void {
    assert(this.isBlank, 'a cluster is founded by a member that has no log');
    assert(voters.includes(this.#core.id), `the founder ${this.#core.id} is none of the voters ${voters.join(', ')}`);
    this.#core.becomeFollower(1, null);
    const { log } = this.#core;
    log.commitTo(log.appendOwn(1, encodeConfEntry(simpleConf(voters)), 'conf').index);
    this.#core.isCampaignOwed = true;
  }

  /** Hands leadership to `to`, a voter. Proposals are refused until that is done, or an election timeout has passed. */
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

  /** All pieces of a snapshot were taken by `peer` (`ok`), or one could not be sent. */
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
      core.forwardResults.length > 0 ||
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
    const committedEntries = core.log.committedToApply(core.options.applyBytesMax);
    const isPrompt = core.role === 'leader' && !this.#isVoteNew();
    const hasConf = committedEntries.some(({ kind }) => kind === 'conf');
    const ready: Ready = {
      // With a configuration, its commit has to be on the disk: it may only have been written without a sync.
      hardState: isHardStateNew || hasConf ? core.hardState : null,
      softState,
      entries,
      snapshot,
      committedEntries,
      promptCount: snapshot === null ? countPrompt(committedEntries, core.log.stable) : 0,
      promptMessages: isPrompt ? core.outbox.filter(isOfLeader) : [],
      messages: isPrompt ? core.outbox.filter((message) => !isOfLeader(message)) : core.outbox,
      readStates: core.readStates,
      forwardResults: core.forwardResults,
      // A commit index alone can be learnt again. But not that of a configuration: those who would tell may be gone then.
      mustSync: entries.length > 0 || snapshot !== null || this.#isVoteNew() || hasConf,
    };
    core.outbox = [];
    core.readStates = [];
    core.forwardResults = [];
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
    for (const entry of ready.committedEntries) {
      if (entry.kind === 'conf') core.takeConf(entry.index, decodeConfEntry(entry.data));
    }
    if (core.role === 'leader') {
      maybeCommit(core);
      afterConfApplied(core);
    } else {
      countOwnVote(core);
      campaignIfOwed(core);
    }
  }

  /**
   * Gives the applied state at `throughIndex` as a snapshot and drops the entries up to there from memory, all but the
   * last `trailingEntries`, which spare a follower that is a little behind from taking the snapshot.
   * @param throughIndex at most `status().applied`
   * @returns the snapshot, to be persisted before entries are removed from the disk; null if there is a newer one
   */
  compact(throughIndex: number, data: Uint8Array, trailingEntries = 0): Snapshot | null {
    const { log } = this.#core;
    assert(throughIndex <= log.applied, `compaction through ${throughIndex}, but applied is ${log.applied}`);
    if (throughIndex <= (log.snapshot?.index ?? 0) || log.pendingSnapshot !== null) return null;
    const term = log.termAt(throughIndex);
    assert(term !== null, `entry ${throughIndex} was dropped`);
    const conf = this.#core.confAt(throughIndex);
    const snapshot: Snapshot = { index: throughIndex, term, conf, data };
    this.#core.forgetConfsBefore(throughIndex);
    log.compact(snapshot, trailingEntries);
    return snapshot;
  }

  /** Term of the entry at `index`; null if it was dropped or isn't there. */
  termAt(index: number): number | null {
    return this.#core.log.termAt(index);
  }

  /** As `status().conf`. */
  get conf(): ConfState {
    return this.#core.conf;
  }

  status(): RaftStatus {
    const core = this.#core;
    const progress = new Map<string, PeerStatus>();
    for (const [peer, { match, next, state, recentActive, transfer }] of core.progress) {
      const role = isVoter(core.conf, peer) ? 'voter' : 'learner';
      const snapshot =
        transfer === null
          ? null
          : { index: transfer.index, ackedBytes: transfer.ackedBytes, bytes: transfer.pieces.snapshot.data.length };
      progress.set(peer, { match, next, state, recentActive, role, snapshot });
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
      conf: core.conf,
      canChangeConf: canChangeConf(core),
      transferee: core.transferee,
      progress,
      refusedSnapshotBytes: core.refusedSnapshotBytes,
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

/** What relies on the sender's term alone, and not on what the Ready is about to write. */
function isOfLeader({ type }: RaftMessage): boolean {
  return type === 'append' || type === 'heartbeat' || type === 'commit' || type === 'snapshot';
}

/** Entries that are on the disk, and come before any configuration: that one's commit has to be written first. */
function countPrompt(entries: readonly RaftEntry[], stable: number): number {
  let count = 0;
  while (count < entries.length && entries[count]!.index <= stable && entries[count]!.kind === 'data') count++;
  return count;
}
