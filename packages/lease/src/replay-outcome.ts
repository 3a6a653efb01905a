import type { LeaseEpoch, NodeId, SessionId, ShardIndex, TopicId } from '@holdfast/model';
import type { Incarnation, SessionEndReason } from './records.ts';

/** A live session. */
export interface SessionInfo extends Incarnation {
  readonly session: SessionId;
  /** It drains or stops, and is given nothing more. */
  readonly closing: boolean;
}

export interface EndedSession {
  readonly session: SessionId;
  readonly nodeId: NodeId;
  readonly reason: SessionEndReason;
  /** Units whose leases ended with it. */
  readonly units: number;
}

/** Who reads a partition. */
export interface PartitionLease {
  readonly session: SessionId;
  readonly shard: ShardIndex;
  readonly epoch: LeaseEpoch;
}

export interface PartitionChange {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly from: PartitionLease | null;
  readonly to: PartitionLease | null;
}

export interface TopicInfo {
  readonly topic: string;
  readonly topicId: TopicId;
  readonly partitions: number;
  /** So many were there when a topic of the name was first set: a job's start position is for these (PROTOCOL.md 3.1). */
  readonly startPartitions: number;
}

/** What one record, or an installed snapshot, did: what the control thread has to act on. */
export interface ReplayOutcome {
  /** Nothing of the record took effect. */
  readonly isVoid: boolean;
  /** Units granted, released or moved. */
  readonly unitsChanged: number;
  /** Units for which the record was void: their proposer sees in the table who holds them. */
  readonly unitsVoided: number;
  /** Leases ended unclean: ingests go back (PROTOCOL.md 3.2). */
  readonly unclean: boolean;
  readonly opened: readonly SessionInfo[];
  readonly closing: readonly SessionId[];
  readonly ended: readonly EndedSession[];
  readonly partitions: readonly PartitionChange[];
  /** Topics that are new, or have more partitions than before. */
  readonly topics: readonly TopicInfo[];
  readonly topicsRemoved: readonly TopicId[];
  /** Number of the store generation that begins here, else 0. */
  readonly generation: number;
  /** Units were put into quarantine, or released. */
  readonly quarantine: boolean;
}

const none: readonly never[] = Object.freeze([]);

export const voidOutcome: ReplayOutcome = Object.freeze({
  isVoid: true,
  unitsChanged: 0,
  unitsVoided: 0,
  unclean: false,
  opened: none,
  closing: none,
  ended: none,
  partitions: none,
  topics: none,
  topicsRemoved: none,
  generation: 0,
  quarantine: false,
});

export function outcomeOf(what: Partial<ReplayOutcome>): ReplayOutcome {
  return { ...voidOutcome, isVoid: false, ...what };
}

/** Of a record about many units. */
export function unitsOutcome(unitsChanged: number, unitsVoided: number): ReplayOutcome {
  return { ...voidOutcome, isVoid: unitsChanged === 0, unitsChanged, unitsVoided };
}
