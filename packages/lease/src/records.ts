import type { LeaseEpoch, NodeId, PartitionId, SessionId, ShardIndex, TopicId } from '@holdfast/model';

/**
 * What `decide` proposes and `replay` applies: the only way in which leases change. One Raft entry carries a
 * list of records; "index" below is that entry's Raft index, and a lease made by it has epoch = base + index.
 */
export type LeaseRecord =
  | EpochBase
  | SessionOpened
  | SessionClosing
  | SessionEnded
  | Granted
  | Released
  | Moved
  | ForceReleased
  | TopicSet
  | TopicRemoved
  | PartitionGranted
  | PartitionReleased
  | GenerationChanged
  | NodeForgotten
  | NodeDraining
  | UnitCrashed
  | UnitQuarantined
  | QuarantineLifted
  | FrameCrashed;

export type LeaseRecordKind = LeaseRecord['kind'];

/** First record of a cluster: the highest epoch that its store has ever seen (PROTOCOL.md 1). */
export interface EpochBase {
  readonly kind: 'epochBase';
  readonly base: number;
}

/** What a node says of itself when it opens a session. */
export interface Incarnation {
  readonly nodeId: NodeId;
  /** identity of the data folder */
  readonly uuid: string;
  /** raised at each start, from 1 */
  readonly counter: number;
  readonly shards: number;
  /** peer address, then one per shard */
  readonly addresses: readonly string[];
  readonly version: string;
}

/** A node incarnation begins to hold. Session id = index, so one per entry. Ends an older session of the node, unclean. */
export interface SessionOpened extends Incarnation {
  readonly kind: 'sessionOpened';
}

/** The session drains or stops: it is given nothing more. */
export interface SessionClosing {
  readonly kind: 'sessionClosing';
  readonly session: SessionId;
}

/**
 * `clean`: every unit was closed and backed up before. All others are unclean ends. `storeReplaced`: what the session holds
 * is of another history than the store is now.
 */
export type SessionEndReason = 'clean' | 'expired' | 'gone' | 'superseded' | 'storeReplaced';

export interface SessionEnded {
  readonly kind: 'sessionEnded';
  readonly session: SessionId;
  readonly reason: SessionEndReason;
}

/** Units to one shard. Void for a unit with a live lease, or when the session is over or closing. */
export interface Granted {
  readonly kind: 'granted';
  readonly session: SessionId;
  readonly shard: ShardIndex;
  /** pairs: hi, lo, hi, lo, ... */
  readonly units: Uint32Array;
}

/** Clean ends of single leases; void for a unit whose lease has another epoch. */
export interface Released {
  readonly kind: 'released';
  readonly units: Uint32Array;
  /** one per unit */
  readonly epochs: Float64Array;
}

/** Clean ends and grants in one step; void for a unit whose lease has another epoch than named. */
export interface Moved {
  readonly kind: 'moved';
  readonly units: Uint32Array;
  readonly fromEpochs: Float64Array;
  readonly toSession: SessionId;
  readonly toShard: ShardIndex;
}

/** An operator takes a lease away: an unclean end. */
export interface ForceReleased {
  readonly kind: 'forceReleased';
  readonly hi: number;
  readonly lo: number;
  readonly epoch: LeaseEpoch;
}

/** A topic to read; another id under the same name replaces the old topic and ends its partitions' leases. */
export interface TopicSet {
  readonly kind: 'topicSet';
  readonly topic: string;
  readonly topicId: TopicId;
  readonly partitions: number;
}

export interface TopicRemoved {
  readonly kind: 'topicRemoved';
  readonly topicId: TopicId;
}

/** A grant (`fromEpoch` 0) or a move of a partition; void while a lease with another epoch lives. */
export interface PartitionGranted {
  readonly kind: 'partitionGranted';
  readonly topicId: TopicId;
  readonly partition: number;
  readonly session: SessionId;
  readonly shard: ShardIndex;
  readonly fromEpoch: LeaseEpoch;
}

export interface PartitionReleased {
  readonly kind: 'partitionReleased';
  readonly topicId: TopicId;
  readonly partition: number;
  readonly epoch: LeaseEpoch;
}

/**
 * The store is another one, or has lost something (PROTOCOL.md 5.8). Void unless number = current + 1. One that doesn't
 * continue the store before ends all sessions: nothing that they hold may be written over what its markers vouch for.
 */
export interface GenerationChanged {
  readonly kind: 'generationChanged';
  readonly storeGeneration: string;
  readonly number: number;
  /** All that is in it was in the store of the generation before; also of one that is empty. */
  readonly continues: boolean;
}

/** The name of a node that is gone for good may be used again. Void while it has a session. */
export interface NodeForgotten {
  readonly kind: 'nodeForgotten';
  readonly nodeId: NodeId;
}

/**
 * A node is to hold and read nothing, until it is taken back: the leader gives it nothing new and has what it holds moved.
 * Outlasts its sessions. Void for a node that isn't known, or is in that state already.
 */
export interface NodeDraining {
  readonly kind: 'nodeDraining';
  readonly nodeId: NodeId;
  readonly draining: boolean;
}

/** A node's process ended while this record of the unit was applied (PROTOCOL.md 6.2). Void when it is known. */
export interface UnitCrashed extends PartitionId {
  readonly kind: 'unitCrashed';
  readonly hi: number;
  readonly lo: number;
  readonly offset: number;
  readonly nodeId: NodeId;
  /** of the incarnation that reported it first: one crash, one counter */
  readonly counter: number;
}

/**
 * A node's process ended while one of these records of the partition was applied, at a shard that hadn't noted which: it may
 * have been any of them. Void when it is known.
 */
export interface FrameCrashed extends PartitionId {
  readonly kind: 'frameCrashed';
  readonly first: number;
  readonly last: number;
  readonly nodeId: NodeId;
  readonly counter: number;
}

/** What one shard was at when its process ended. */
export type ProcessCrash = UnitCrashed | FrameCrashed;

/** Its records become dead letters from now on. Void when they do already. */
export interface UnitQuarantined {
  readonly kind: 'unitQuarantined';
  readonly hi: number;
  readonly lo: number;
}

/** Where a partition ended at some time. */
export interface PartitionEnd extends PartitionId {
  readonly offset: number;
}

/** Records from these offsets on are applied again; partitions that aren't named begin at 0. Void when it isn't in quarantine. */
export interface QuarantineLifted {
  readonly kind: 'quarantineLifted';
  readonly hi: number;
  readonly lo: number;
  readonly before: readonly PartitionEnd[];
}
