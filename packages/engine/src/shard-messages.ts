import type { TopicId, Unit } from '@holdfast/model';

/**
 * What the control thread and its shards say to each other. Plain data that structured clone can carry, so that a
 * shard may live in a worker thread or on the same thread. Everything that the record path needs at once (leases,
 * counters) is not here: it is in the lease table's shared buffer and in the statistics buffer.
 */
export type ToShard =
  /** The lease table lives in this buffer from now on. First message, and again whenever it has grown. */
  | { readonly kind: 'table'; readonly buffer: SharedArrayBuffer }
  /** The table's index has advanced: parked records may go, ends may be known. Coalesced. */
  | { readonly kind: 'advanced' }
  /** The session under which this shard holds and reads, and the memory of a `SessionProof` of it. Sent once. */
  | { readonly kind: 'session'; readonly session: number; readonly proof: SharedArrayBuffer }
  /** All live sessions: where their shards listen. The whole list, each time it changes. */
  | { readonly kind: 'directory'; readonly sessions: readonly DirectoryEntry[] }
  /** All partitions leased to this shard: the whole list, each time it changes. */
  | { readonly kind: 'partitions'; readonly partitions: readonly LeasedPartition[] }
  /** The store's generation as the log knows it (PROTOCOL.md 5.8). `index` is the generation entry's. */
  | { readonly kind: 'generation'; readonly number: number; readonly generationId: string; readonly index: number }
  | QuarantineNews
  /** Answer to `barrier`. Null: no leader has confirmed one in time. */
  | { readonly kind: 'caughtUp'; readonly id: number; readonly index: number | null }
  /** Stop reading, settle, back everything up, commit, close all units; answer `stopped`. */
  | { readonly kind: 'stop' }
  /** The table is nearly full: release so many units, those that have been idle longest. */
  | { readonly kind: 'makeRoom'; readonly units: number }
  /** Asks for a user's state, between two records. */
  | { readonly kind: 'query'; readonly id: number; readonly key: Uint8Array }
  /** So many units of this shard, of its own choice, shall go to those shards: in place of what is left of the last plan. */
  | { readonly kind: 'handOver'; readonly plan: readonly ShardMove[] }
  /** One unit shall go to another shard. */
  | {
      readonly kind: 'moveUnit';
      readonly hi: number;
      readonly lo: number;
      readonly session: number;
      readonly shard: number;
    };

/**
 * The units in quarantine, and those that were of late (PROTOCOL.md 6.3): what has changed since the last such message, the
 * first of which has all of them.
 */
export interface QuarantineNews {
  readonly kind: 'quarantine';
  readonly changed: readonly ToldUnit[];
  /** Units that are remembered no more. */
  readonly gone: readonly Unit[];
  /** Of the log entry. */
  readonly index: number;
}

export interface ToldUnit extends Unit {
  /** Null: in quarantine. Once it is released: the bytes of the `PartitionEnds` before which its records are still buried. */
  readonly before: Uint8Array | null;
}

export type FromShard =
  /** Listening; the session can be opened. */
  | { readonly kind: 'listening'; readonly address: string }
  /** Records wait for these units (hi, lo pairs): grant them, to this shard if its load allows. Repeated while they wait. */
  | { readonly kind: 'acquire'; readonly units: Uint32Array }
  /** Units closed and backed up (hi, lo, epochHi, epochLo quadruples): propose their end. Repeated until the table shows it. */
  | { readonly kind: 'release'; readonly units: Uint32Array }
  /** Units closed and backed up for another shard (quadruples as above): propose their move. Repeated, as releases are. */
  | { readonly kind: 'move'; readonly session: number; readonly shard: number; readonly units: Uint32Array }
  /** Units with a state that can't be written or read (quadruples as above): propose their end. Repeated, as releases are. */
  | { readonly kind: 'faulty'; readonly units: Uint32Array }
  /** The units with most records of late, the busiest first. Sent when it has changed. */
  | { readonly kind: 'hot'; readonly units: readonly HotUnit[] }
  /** What the log hasn't taken for 15 s: the whole list, when it gets longer or shorter, and now and then while it lasts. */
  | { readonly kind: 'heldBack'; readonly list: readonly HeldBack[] }
  /** This shard can't reach a holder that lives: let others read these partitions (PROTOCOL.md 3.5). Repeated while it is so. */
  | { readonly kind: 'giveUp'; readonly partitions: readonly LeasedPartition[] }
  /** The store answered with another generation than the log's. */
  | { readonly kind: 'generationSeen'; readonly generationId: string }
  /** Up to which index does the table have to be, to show all that is committed by now? */
  | { readonly kind: 'barrier'; readonly id: number }
  /** Answer to `stop`: everything that this shard held is backed up, its offsets are committed, it holds nothing open. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'answer'; readonly id: number; readonly user: UserAnswer | null }
  /** The shard can't go on: its process must end. */
  | { readonly kind: 'failed'; readonly error: string };

/** Units that one shard is to hand to another. */
export interface ShardMove {
  readonly session: number;
  readonly shard: number;
  readonly count: number;
}

/** A unit that gets many records. */
export interface HotUnit {
  readonly hi: number;
  readonly lo: number;
  /** Key bytes of its first user; null while its row isn't here. */
  readonly key: Uint8Array | null;
  readonly recordsPerSec: number;
  /** Its part of all records that the shard took in the same time, 0 to 1. */
  readonly share: number;
}

/** Something that the log doesn't take. Offsets wait for it, and behind outputs and letters rows too. */
export interface HeldBack {
  readonly what: 'commits' | 'outputs' | 'letters';
  /** Null for commits: those of all partitions are made together. */
  readonly topic: string | null;
  /** Monotonic, when the first try began. */
  readonly begunMs: number;
  /** Those that have failed. */
  readonly tries: number;
  /** What the last of them said; null: none has ended yet. */
  readonly error: string | null;
}

export interface DirectoryEntry {
  readonly session: number;
  readonly nodeId: string;
  /** It drains: it writes all it holds and reports it durable within moments. */
  readonly closing: boolean;
  /** Address of each shard, by index. */
  readonly shardAddresses: readonly string[];
}

export interface LeasedPartition {
  readonly topic: string;
  readonly topicId: TopicId;
  readonly partition: number;
  readonly epoch: number;
  /** When a topic of the name was first read: the job's start position is for it. */
  readonly wasThere: boolean;
}

/** A user's state as its holder has it; null fields when it isn't open here. */
export interface UserAnswer {
  readonly epoch: number;
  /** What the job shows of the state (plain JSON data); null when this user has no state yet, or it can't be shown. */
  readonly view: unknown;
  /** Why it can't be shown; else null. */
  readonly stateError: string | null;
  /** Milliseconds since the last accepted backup; null before the first. */
  readonly backupAgeMs: number | null;
  readonly dirty: boolean;
  /** Of its unit, when that is among the busiest of the shard; else null. */
  readonly recordsPerSec: number | null;
  /** Last applied offset per input partition: topicId/partition -> offset. */
  readonly applied: Readonly<Record<string, number>>;
}
