import type { LeaseOptions } from '@holdfast/lease';
import type { Logger, NodeId, Rng } from '@holdfast/model';
import type { BackupStore } from '../ports/backup-store.ts';
import type { CrashReports } from '../ports/crash-reports.ts';
import type { Log } from '../ports/log.ts';
import type { PeerTransport } from '../ports/peer-transport.ts';
import type { RaftStorage } from '../ports/raft-storage.ts';
import type { Timers } from '../ports/timers.ts';
import type { CompactionRule } from './log-compaction.ts';
import type { NodeIncarnation } from './node-session-options.ts';
import type { Leadership, RaftDriverTiming } from './raft-driver-options.ts';
import type { ServiceLook } from './service-watch.ts';
import type { ShardPort } from './shard-port.ts';

/** What a control plane is made of. It owns none of the ports: who made them closes them, after `close` or `stop`. */
export interface ControlPlaneOptions {
  readonly nodeId: NodeId;
  readonly version: string;
  /** The nodes by which the cluster is founded, the same at all of them, and all up at that time (`Founding`). Others join. */
  readonly voters: readonly NodeId[];
  readonly incarnation: NodeIncarnation;
  readonly shards: readonly ShardPort[];
  readonly transport: PeerTransport;
  readonly raftStorage: RaftStorage;
  readonly log: Pick<Log, 'describe' | 'endOffsets' | 'highestFence'>;
  readonly store: Pick<BackupStore, 'generationId' | 'adopt' | 'highestEpoch'>;
  /** Input topics of the jobs: the leader assigns their partitions. */
  readonly topics: readonly string[];
  readonly timers: Timers;
  readonly rng: Rng;
  readonly logger: Logger;
  /**
   * The session is over or can't be proven alive. Nothing may be held any more: end all shards at once, make new ones,
   * and call `restartSession` with a raised counter.
   */
  readonly onSessionLost: (reason: string) => void;
  /** The process must end: the disk failed, an invariant broke, a shard died, or another process is this node. Once. */
  readonly onFatal: (error: unknown) => void;
  readonly onLeadership?: (leadership: Leadership) => void;
  /** A hint from gossip: a node with a session is unreachable, so nothing is moved for balance. */
  readonly balancingPaused?: () => boolean;
  /** Whether log and store answer this node; missing: nobody looks. */
  readonly services?: ServiceLook;
  /** A connection to a peer failed or came back. Called beside Raft, for whoever else wants to know. */
  readonly onUnreachable?: (peer: NodeId) => void;
  /** How many nodes shall vote on the log; the others follow it. Default 3, or 5 if so many found the cluster. */
  readonly votersWanted?: number;
  /** Where a node stands, by what may fail together: voters are spread over it. */
  readonly zoneOf?: (node: NodeId) => string | null;
  /** The node is being removed from the cluster, and holds nothing any more: its process shall stop. */
  readonly onLeave?: () => void;
  /** Records at which this node's process ended; missing: nothing is known of any. */
  readonly crashes?: CrashReports;
  /** Calls that the node answers itself, beside those of the control plane; by method. */
  readonly calls?: ReadonlyMap<string, (from: NodeId, body: Uint8Array) => Promise<Uint8Array>>;
  readonly lease?: Partial<LeaseOptions>;
  readonly raftTiming?: Partial<RaftDriverTiming>;
  readonly compaction?: Partial<CompactionRule>;
}
