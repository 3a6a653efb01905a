import type { Rng } from '@holdfast/model';
import type { ConfState } from './conf.ts';
import type { RaftMessage } from './messages.ts';

/** One entry of the log. Empty `data` is the no-op with which a leader begins its term. */
export interface RaftEntry {
  readonly term: number;
  readonly index: number;
  /** `conf`: a configuration, see `decodeConfEntry`; the core takes it itself when the entry is applied. */
  readonly kind: 'data' | 'conf';
  /** Opaque; never copied, so the caller must not change it afterwards. */
  readonly data: Uint8Array;
}

/** What a node must never forget (paper, figure 2: persistent state), and how far it knows the log as committed. */
export interface HardState {
  readonly term: number;
  readonly vote: string | null;
  readonly commit: number;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What an observer wants to know; lost at a restart without harm. */
export interface SoftState {
  readonly role: Role;
  readonly leader: string | null;
}

/** The applied state at `index`, in place of all entries up to it. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  /** The configuration at `index`. */
  readonly conf: ConfState;
  readonly data: Uint8Array;
}

/** The caller's name for a read; only has to be unique among its own open reads. */
export type ReadContext = number | string;

/** The read named `context` sees everything committed before it was asked for once `index` is applied. */
export interface ReadState {
  readonly context: ReadContext;
  readonly index: number;
}

/**
 * What became of a proposal that was forwarded to the leader. It is committed once it comes back among
 * `committedEntries` with this index and term; with another term there, it was lost.
 */
export interface ForwardResult {
  readonly context: ReadContext;
  readonly result: ProposeResult;
}

/**
 * Work for the driver, in this order: send `promptMessages`, persist `hardState`, `snapshot` and `entries` in one atomic
 * write (synced if `mustSync`), send `messages`, restore `snapshot`, apply `committedEntries`, call `advance`. The
 * first `promptCount` of `committedEntries` may be applied before or during the write.
 */
export interface Ready {
  /** To persist; null if unchanged. */
  readonly hardState: HardState | null;
  /** News for observers; null if unchanged. */
  readonly softState: SoftState | null;
  /** To persist. They replace whatever was stored from `entries[0].index` on. */
  readonly entries: readonly RaftEntry[];
  /** To persist and restore, before `entries`. It replaces the whole stored log. */
  readonly snapshot: Snapshot | null;
  /** To apply, in order, each once; durable here as soon as this Ready is persisted. */
  readonly committedEntries: readonly RaftEntry[];
  /** So many of them are on the disk already. */
  readonly promptCount: number;
  /**
   * A leader's, which rely on nothing that isn't on its disk: its term is, and its own copy of an entry counts for the
   * quorum only after `advance`. So followers write while it writes (thesis, 10.2.1).
   */
  readonly promptMessages: readonly RaftMessage[];
  /** To send after persisting; they may be lost, repeated and reordered, as all may. */
  readonly messages: readonly RaftMessage[];
  readonly readStates: readonly ReadState[];
  /** Answers to `forwardProposal`. */
  readonly forwardResults: readonly ForwardResult[];
  /** False if a crash before the next sync loses nothing that anyone relies on. */
  readonly mustSync: boolean;
}

/** What the driver found on disk; see `emptyRestored` for a new node. */
export interface Restored {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | null;
  /** Contiguous; may begin before the snapshot's index (trailing entries), never later than right after it. */
  readonly entries: readonly RaftEntry[];
}

/** The disk of a node that never ran. */
export const emptyRestored: Restored = {
  hardState: { term: 0, vote: null, commit: 0 },
  snapshot: null,
  entries: [],
};

export interface RaftOptions {
  readonly id: string;
  /**
   * The founding voters, the same at all of them; none at a node that is to join. What the log and a restored snapshot
   * say takes precedence.
   */
  readonly voters: readonly string[];
  /** Silence after which a follower stands for election: T to 2T ticks, drawn anew each time. */
  readonly electionTimeoutTicks: number;
  /** Must be well below the election timeout. */
  readonly heartbeatTicks: number;
  readonly rng: Rng;
  /** Payload of one append message; a single larger entry still goes alone. */
  readonly appendBytesMax: number;
  /** Append messages on their way to one peer before the leader waits for an answer. */
  readonly inflightMessagesMax: number;
  /** Their payload, snapshot pieces included; one message may be over it alone. Default 8 MiB. */
  readonly inflightBytesMax?: number;
  /** Proposals beyond this many uncommitted bytes are refused. */
  readonly uncommittedBytesMax: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly restored: Restored;
  /** Payload of `committedEntries` in one Ready; default 4 MiB. */
  readonly applyBytesMax?: number;
  /** Open reads at a leader, and forwarded ones at a follower; default 10,000. */
  readonly pendingReadsMax?: number;
  /** Payload of one piece of a snapshot; default 256 KiB. */
  readonly snapshotChunkBytes?: number;
  /** A larger snapshot is not taken from a leader; default 1 GiB. */
  readonly snapshotBytesMax?: number;
  /** Ticks after which a piece without an answer is sent again, at first; more where answers take longer. Default 1 election timeout. */
  readonly snapshotRetryTicks?: number;
  /** How far behind a learner may be to become a voter; default 1,000 entries. */
  readonly promotionLagEntriesMax?: number;
  /** Proposals of this node at the leader without an answer; the oldest is forgotten. Default 10,000. */
  readonly forwardedMax?: number;
}

export type ProposeResult =
  | { readonly ok: true; readonly index: number; readonly term: number }
  /** `leader` is where to try instead, if known; during a leadership transfer the node it goes to. */
  | { readonly ok: false; readonly code: 'NOT_LEADER'; readonly leader: string | null }
  | { readonly ok: false; readonly code: 'UNCOMMITTED_FULL' };

export type ReadIndexResult = { readonly ok: true } | { readonly ok: false; readonly code: 'NO_LEADER' | 'READS_FULL' };

export type ForwardProposalResult = { readonly ok: true } | { readonly ok: false; readonly code: 'NO_LEADER' };

export type TransferResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'NOT_LEADER'; readonly leader: string | null }
  | { readonly ok: false; readonly code: 'UNKNOWN_PEER' }
  /** A learner, or a voter about to lose its vote, can't lead. */
  | { readonly ok: false; readonly code: 'NOT_A_VOTER' };

export type ConfChangeResult =
  | { readonly ok: true; readonly index: number; readonly term: number }
  | { readonly ok: false; readonly code: 'NOT_LEADER'; readonly leader: string | null }
  /** The wish contradicts itself. */
  | { readonly ok: false; readonly code: 'BAD_TARGET'; readonly text: string }
  /** It is so already. */
  | { readonly ok: false; readonly code: 'UNCHANGED' }
  /** Another change, or the log of earlier leaders, isn't applied yet. */
  | { readonly ok: false; readonly code: 'CHANGE_PENDING' }
  /** `id` would get a vote, but isn't a learner with nearly all of the log (`promotable`). */
  | { readonly ok: false; readonly code: 'NOT_CAUGHT_UP'; readonly id: string }
  /** Too few of the new voters were heard from lately: nothing could be committed afterwards. */
  | { readonly ok: false; readonly code: 'NO_QUORUM'; readonly active: number; readonly needed: number };

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export interface PeerStatus {
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  /** Heard from within the last election timeout. */
  readonly recentActive: boolean;
  readonly role: 'voter' | 'learner';
  /** Of the snapshot under way: what the peer has of it, and its size; null in other states. */
  readonly snapshot: { readonly index: number; readonly ackedBytes: number; readonly bytes: number } | null;
}

export interface RaftStatus {
  readonly id: string;
  readonly role: Role;
  readonly term: number;
  readonly vote: string | null;
  readonly leader: string | null;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly conf: ConfState;
  /** May a change of the configuration be proposed now, as far as earlier ones go? Only at a leader. */
  readonly canChangeConf: boolean;
  /** The node that leadership is being handed to. */
  readonly transferee: string | null;
  /** Of the other members; empty unless this node leads. */
  readonly progress: ReadonlyMap<string, PeerStatus>;
  /** Size of a leader's snapshot that was refused as over `snapshotBytesMax`; 0 for none. */
  readonly refusedSnapshotBytes: number;
}
