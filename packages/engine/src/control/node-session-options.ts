import type { LeaseOptions, LeaseTable } from '@holdfast/lease';
import type { Logger, NodeId } from '@holdfast/model';
import type { CrashReports } from '../ports/crash-reports.ts';
import type { Timers } from '../ports/timers.ts';
import type { UserAnswer } from '../shard-messages.ts';
import type { EndingReason } from './calls.ts';
import type { LeaderCalls } from './leader-calls.ts';
import type { ServiceLook } from './service-watch.ts';
import type { ShardPort } from './shard-port.ts';

export type NodeSessionState =
  /** some shard doesn't listen yet */
  | 'waiting'
  /** asks the leader */
  | 'opening'
  /** may hold */
  | 'holding'
  /** drains */
  | 'stopping'
  /** over for ever */
  | 'over';

/** The identity of a data folder, and how often it was started (PROTOCOL.md 1). */
export interface NodeIncarnation {
  readonly uuid: string;
  readonly counter: number;
}

export interface NodeSessionOptions {
  readonly nodeId: NodeId;
  /** This node's name among Raft's members. */
  readonly member: string;
  readonly version: string;
  readonly incarnation: NodeIncarnation;
  readonly peerAddress: string;
  readonly shards: readonly ShardPort[];
  readonly table: LeaseTable;
  readonly lease: LeaseOptions;
  readonly leaderCalls: LeaderCalls;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Whether log and store answer; undefined: nobody looks. */
  readonly services: ServiceLook | undefined;
  /** Told with the opening. */
  readonly crashes: CrashReports | undefined;
  /** The session is over, or can't be proven alive: shards must be ended at once. Called once. */
  readonly onLost: (reason: string) => void;
  /** Another process is this node, or it was removed: this one must end. */
  readonly onRefused: (reason: EndingReason, text: string) => void;
  readonly onShardFailed: (shard: number, error: string) => void;
  readonly onAnswer: (id: number, user: UserAnswer | null) => void;
  /** Once it resolves the table shows everything committed before the call. */
  readonly barrier: () => Promise<number>;
}
