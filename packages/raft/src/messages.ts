import type { ConfState } from './conf.ts';
import type { RaftEntry } from './types.ts';

interface Envelope<Type extends string> {
  readonly type: Type;
  readonly from: string;
  readonly to: string;
  /** The sender's term; in `preVote` and a granted `preVoteReply` the term the candidate would stand in. */
  readonly term: number;
}

/** Entries right after (prevIndex, prevTerm), and how far the leader knows the log as committed (5.3). */
export interface Append extends Envelope<'append'> {
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly RaftEntry[];
  readonly commit: number;
}

/**
 * Accepted: the follower holds the leader's log up to `index`, durably. Rejected: `index` is the refused prevIndex, and
 * (hintIndex, hintTerm) the follower's last entry that could still match; hintTerm 0 if unknown.
 */
export interface AppendReply extends Envelope<'appendReply'> {
  readonly reject: boolean;
  readonly index: number;
  readonly hintIndex: number;
  readonly hintTerm: number;
}

/** `commit` never passes what the receiver is known to hold; `readRound` is echoed by the reply (6.4). */
export interface Heartbeat extends Envelope<'heartbeat'> {
  readonly commit: number;
  readonly readRound: number;
}

/**
 * The log is committed up to `commit`, whose entry is of `commitTerm`: for a follower that has been sent all up to there,
 * so that what it holds counts at once and not at the next heartbeat. Lost without harm, hence without an answer.
 */
export interface Commit extends Envelope<'commit'> {
  readonly commit: number;
  readonly commitTerm: number;
}

export interface HeartbeatReply extends Envelope<'heartbeatReply'> {
  readonly readRound: number;
}

/**
 * What the sender knows as committed. Else a candidate could ask for ever in a configuration that has ended: one whose
 * end it has in its log, without knowing it committed, while those who know have no vote any more.
 */
export interface CommitHint {
  readonly commit: number;
  readonly commitTerm: number;
}

/** Request for a vote (5.2, 5.4.1). `force`: the old leader asked for it, so its being alive is no reason to refuse. */
export interface Vote extends Envelope<'vote'> {
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly force: boolean;
}

export interface VoteReply extends Envelope<'voteReply'>, CommitHint {
  readonly granted: boolean;
}

/** Would you vote for me? Asked before the term is raised (thesis, 9.6). */
export interface PreVote extends Envelope<'preVote'> {
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface PreVoteReply extends Envelope<'preVoteReply'>, CommitHint {
  readonly granted: boolean;
}

/**
 * A piece of a snapshot, for a follower whose next entry the leader has dropped (7): the state at (index, snapshotTerm),
 * which has `bytes` bytes in all, from `offset` on. The last piece ends at `bytes`.
 */
export interface InstallSnapshot extends Envelope<'snapshot'> {
  readonly index: number;
  readonly snapshotTerm: number;
  readonly conf: ConfState;
  readonly bytes: number;
  readonly offset: number;
  readonly data: Uint8Array;
  /** CRC-32C of all bytes up to the end of this piece. */
  readonly sum: number;
}

/** The follower holds the leader's log up to `index`, durably. */
export interface SnapshotReply extends Envelope<'snapshotReply'> {
  readonly index: number;
}

/** The follower has the first `offset` bytes of the snapshot at `index` in memory, and waits for what follows. */
export interface SnapshotProgress extends Envelope<'snapshotProgress'> {
  readonly index: number;
  readonly offset: number;
}

/** Stand for election at once (thesis, 3.10). */
export type TimeoutNow = Envelope<'timeoutNow'>;

/** A follower's read, for the leader to confirm (6.4). */
export interface ReadIndex extends Envelope<'readIndex'> {
  readonly requestId: number;
}

export interface ReadIndexReply extends Envelope<'readIndexReply'> {
  readonly requestId: number;
  readonly index: number;
}

/** A follower's proposal. Taken at most once, however often the message arrives. */
export interface Propose extends Envelope<'propose'> {
  readonly requestId: number;
  readonly data: Uint8Array;
}

/** Where the proposal is in the leader's log; index 0: refused for now, as too much is uncommitted. */
export interface ProposeReply extends Envelope<'proposeReply'> {
  readonly requestId: number;
  readonly index: number;
  readonly entryTerm: number;
}

/** All that members say to each other. Sections are of the Raft paper (extended) or of the thesis where named. */
export type RaftMessage =
  | Append
  | AppendReply
  | Heartbeat
  | HeartbeatReply
  | Vote
  | VoteReply
  | PreVote
  | PreVoteReply
  | InstallSnapshot
  | SnapshotReply
  | TimeoutNow
  | ReadIndex
  | ReadIndexReply
  | SnapshotProgress
  | Propose
  | ProposeReply
  | Commit;
