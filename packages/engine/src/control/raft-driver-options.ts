import type { Logger, NodeId, Rng } from '@holdfast/model';
import type { ConfState, Role } from '@holdfast/raft';
import type { PeerTransport } from '../ports/peer-transport.ts';
import type { RaftStorage } from '../ports/raft-storage.ts';
import type { Timers } from '../ports/timers.ts';
import type { CompactionRule } from './log-compaction.ts';
import type { RaftMailboxLimits } from './raft-mailbox.ts';
import type { StateMachine } from './state-machine.ts';

export interface RaftDriverLimits extends RaftMailboxLimits {
  /** Proposals waiting to be stepped, and in the log without an outcome; more are refused as FULL. */
  readonly proposalsMax: number;
  /** Callers of `readBarrier` waiting to be asked for. */
  readonly readsMax: number;
}

export interface RaftDriverTiming {
  readonly tickMs: number;
  /** An election begins after 1 to 2 times this. */
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
}

export interface RaftDriverOptions {
  /** The member's id, see `member-id.ts`. */
  readonly id: string;
  /** Voters that need no founding; none where `found` or a leader will tell. What is stored takes precedence. */
  readonly voters: readonly string[];
  readonly storage: RaftStorage;
  readonly transport: Pick<PeerTransport, 'sendRaft'>;
  readonly machine: StateMachine;
  readonly timers: Timers;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Called when role, leader or term changed. */
  readonly onLeadership: (leadership: Leadership) => void;
  /** Called when the members changed, as far as this node has applied the log. */
  readonly onMembers?: (members: ConfState) => void;
  /** The disk failed or an invariant broke: the process must end. Called once. */
  readonly onFatal: (error: unknown) => void;
  readonly timing?: Partial<RaftDriverTiming>;
  readonly limits?: Partial<RaftDriverLimits>;
  readonly compaction?: Partial<CompactionRule>;
}

export interface Leadership {
  readonly role: Role;
  readonly leader: NodeId | null;
  readonly term: number;
}

/** An election takes 0.8 to 1.6 s of silence plus a round trip, so a leader change costs no session its 9 s. */
export const defaultTiming: RaftDriverTiming = { tickMs: 100, electionTimeoutTicks: 8, heartbeatTicks: 1 };
export const defaultLimits: RaftDriverLimits = {
  mailboxMessagesMax: 4_096,
  proposalsMax: 4_096,
  readsMax: 10_000,
  ticksMax: 20,
};

/** What Raft's core may send ahead, keep and take. */
export const raftLimits = {
  appendBytesMax: 1024 * 1024,
  inflightMessagesMax: 64,
  /** Appends and pieces of snapshots on their way to one peer: they share a connection with heartbeats. */
  inflightBytesMax: 4 * 1024 * 1024,
  /** Taken from a leader at most: it is put together in memory. */
  snapshotBytesMax: 1024 * 1024 * 1024,
  uncommittedBytesMax: 32 * 1024 * 1024,
  /** Applied in one turn of the event loop: some 4,000 grants, and the part of a larger table's making that they pay for. */
  applyBytesMax: 32 * 1024,
} as const;
