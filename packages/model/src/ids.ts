/**
 * Branded ids: a term can't pass as an index, a session can't pass as an epoch.
 * All are plain numbers or strings at run time.
 */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Name of a node, chosen by its operator, unique in the cluster. */
export type NodeId = Brand<string, 'NodeId'>;
/** Raft term. */
export type Term = Brand<number, 'Term'>;
/** Raft log index; also the "table index" of PROTOCOL.md: the index up to which a process has applied the lease table. */
export type LogIndex = Brand<number, 'LogIndex'>;
/** One node incarnation's right to hold; the Raft index of the entry that opened it. 0 is no session. */
export type SessionId = Brand<number, 'SessionId'>;
/** Fencing token: base + Raft index of the grant. Strictly increasing. 0 is no lease. */
export type LeaseEpoch = Brand<number, 'LeaseEpoch'>;
/** Index of a shard within its node, from 0. */
export type ShardIndex = Brand<number, 'ShardIndex'>;
/** Position of a record in its partition, from 0. */
export type Offset = Brand<number, 'Offset'>;
/** Identity of a topic: a recreated topic has another one. */
export type TopicId = Brand<string, 'TopicId'>;

export const nodeId = (text: string): NodeId => text as NodeId;
export const term = (value: number): Term => value as Term;
export const logIndex = (value: number): LogIndex => value as LogIndex;
export const sessionId = (value: number): SessionId => value as SessionId;
export const leaseEpoch = (value: number): LeaseEpoch => value as LeaseEpoch;
export const shardIndex = (value: number): ShardIndex => value as ShardIndex;
export const offset = (value: number): Offset => value as Offset;
export const topicId = (text: string): TopicId => text as TopicId;

/** A partition of one incarnation of a topic. */
export interface PartitionId {
  readonly topicId: TopicId;
  readonly partition: number;
}

/** A text that identifies a partition among all: usable as a Map key. */
export function partitionKey(partition: PartitionId): string {
  return `${partition.topicId}/${partition.partition}`;
}

/** A shard under one session: the party that leases name. */
export interface ShardRef {
  readonly session: SessionId;
  readonly shard: ShardIndex;
}

/** A 64-bit unit (hash of key bytes) as two unsigned 32-bit halves. */
export interface Unit {
  readonly hi: number;
  readonly lo: number;
}

/** Sixteen hex digits: how a unit is shown and logged. */
export function formatUnit(hi: number, lo: number): string {
  return (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0');
}

/**
 * Buckets that the store groups units by (PROTOCOL.md 5.7, 5.9). Fixed for the life of a store.
 */
export const bucketCount = 1024;

/** The store bucket of a unit, 0..bucketCount-1. Uses the low half, so that it is independent of tables that use the high one. */
export function bucketOf(_hi: number, lo: number): number {
  return lo & (bucketCount - 1);
}
