import type { LeaseEpoch, NodeId, SessionId, ShardIndex, ShardRef, TopicId } from '@holdfast/model';
import type { LeaseRefusal } from './errors.ts';
import type { FrameCrashed, Incarnation, LeaseRecord, PartitionEnd, UnitCrashed } from './records.ts';

/** What nodes and operators ask of the leader. */
export type LeaseCommand =
  /** Once, by the leader of a cluster without a base: the store's highest epoch. */
  | { readonly kind: 'found'; readonly base: number }
  /** The session's id is the index of the entry that carries the answer's record. */
  | ({ readonly kind: 'openSession' } & Incarnation)
  /** `clean` only when every unit is closed and backed up, and partitions are read no more. */
  | { readonly kind: 'endSession'; readonly session: SessionId; readonly reason: 'clean' | 'gone' }
  /** Drain: nothing new for this session. */
  | { readonly kind: 'markClosing'; readonly session: SessionId }
  /** Units (pairs hi, lo) that have no holder, asked for by the shard that reads their records. */
  | {
      readonly kind: 'acquire';
      readonly session: SessionId;
      readonly shard: ShardIndex;
      readonly units: Uint32Array;
    }
  /** Closed and backed up; `epochs` one per unit. */
  | {
      readonly kind: 'release';
      readonly session: SessionId;
      readonly units: Uint32Array;
      readonly epochs: Float64Array;
    }
  /** Closed and backed up, for another shard: `to`, or (drain) wherever there is room. */
  | {
      readonly kind: 'move';
      readonly session: SessionId;
      readonly units: Uint32Array;
      readonly epochs: Float64Array;
      readonly to: ShardRef | null;
    }
  | { readonly kind: 'forceRelease'; readonly hi: number; readonly lo: number }
  /** A topic as the log shows it. `replace`: the operator consents to a topic made anew. */
  | {
      readonly kind: 'reportTopic';
      readonly topic: string;
      readonly topicId: TopicId;
      readonly partitions: number;
      readonly replace: boolean;
    }
  /** No job reads the topic any more. */
  | { readonly kind: 'removeTopic'; readonly topicId: TopicId }
  /** A session gives a partition up (PROTOCOL.md 3.5). */
  | {
      readonly kind: 'releasePartition';
      readonly session: SessionId;
      readonly topicId: TopicId;
      readonly partition: number;
      readonly epoch: LeaseEpoch;
    }
  /** The store's generation and run as seen by a call begun after generation entry `knownNumber` was applied. */
  | {
      readonly kind: 'reportGeneration';
      readonly storeGeneration: string;
      readonly knownNumber: number;
      /** Nothing is in it that wasn't in the store of that generation. */
      readonly continues: boolean;
    }
  /** The node shall hold and read nothing, or may again. */
  | { readonly kind: 'setDraining'; readonly nodeId: NodeId; readonly draining: boolean }
  /** The node is gone for good: its name is free again. */
  | { readonly kind: 'forgetNode'; readonly nodeId: NodeId }
  /** What the shards of this node's processes were at when these ended. */
  | { readonly kind: 'reportCrashes'; readonly nodeId: NodeId; readonly crashes: readonly CrashNote[] }
  /** What has crashed nodes often enough is put into quarantine. */
  | { readonly kind: 'quarantineDue' }
  /** Units of the session with a state that can't be written or read: into quarantine, and their leases end unclean. */
  | {
      readonly kind: 'endFaulty';
      readonly session: SessionId;
      readonly units: Uint32Array;
      readonly epochs: Float64Array;
    }
  /** The operator takes a unit out of quarantine; `before`: where the partitions end now. */
  | {
      readonly kind: 'liftQuarantine';
      readonly hi: number;
      readonly lo: number;
      readonly before: readonly PartitionEnd[];
    };

export type CommandOf<Kind extends LeaseCommand['kind']> = Extract<LeaseCommand, { readonly kind: Kind }>;

/** A record at which a process ended, as its node tells it. */
export type RecordCrash = Omit<UnitCrashed, 'kind' | 'nodeId'>;

/** What stood in a shard's notes when its process ended (PROTOCOL.md 6.2). */
export type CrashNote =
  | ({ readonly kind: 'record' } & RecordCrash)
  | ({ readonly kind: 'frame' } & Omit<FrameCrashed, 'kind' | 'nodeId'>);

/** How many units of the request ... Those in none of these counts found no room in the table: ask for them again. */
export interface LeaseAnswer {
  /** ... are in the records */
  readonly proposed: number;
  /** ... of these, for another shard than the asker */
  readonly elsewhere: number;
  /** ... have a holder already, or are on their way to one: the table shows it once the records in flight are applied */
  readonly skipped: number;
  /** ... were named with an epoch that isn't theirs (any more) */
  readonly stale: number;
}

/**
 * Refused, or records to propose as ONE entry (none: nothing to do) and the answer to give once that entry is
 * applied, with its index, so that the asker can wait for it in its own table (PROTOCOL.md 2.5).
 */
export type LeaseDecision =
  | { readonly ok: true; readonly records: readonly LeaseRecord[]; readonly answer: LeaseAnswer }
  | { readonly ok: false; readonly refusal: LeaseRefusal };

export const emptyAnswer: LeaseAnswer = Object.freeze({ proposed: 0, elsewhere: 0, skipped: 0, stale: 0 });

export function decided(records: readonly LeaseRecord[], answer: Partial<LeaseAnswer> = {}): LeaseDecision {
  return { ok: true, records, answer: { ...emptyAnswer, ...answer } };
}

export function refused(refusal: LeaseRefusal): LeaseDecision {
  return { ok: false, refusal };
}
