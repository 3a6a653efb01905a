import type { BalancingReport, HotUnit, LeaderProblem, ServicesReport } from './node-report.ts';

/** Schema holdfast/status/v1. A contract: it only gains fields. 64-bit numbers are strings, times ISO in UTC. */
export const statusSchemaName = 'holdfast/status/v1';

export const healthStates = ['ok', 'degraded', 'unhealthy'] as const;
export type Health = (typeof healthStates)[number];

export const reasonCodes = [
  'NO_LEADER',
  'NODE_SUSPECT',
  'NODE_DEAD',
  'NODE_UNREACHABLE',
  'TOLERANCE_ZERO',
  'PARTITION_UNREAD',
  'BACKUP_STALE',
  'BACKUP_FAILING',
  'LAG_HIGH',
  'NO_SESSION',
  'LOG_UNREACHABLE',
  'STORE_UNREACHABLE',
  'TOPIC_UNUSABLE',
  'STORE_REFUSED',
  'STORE_AHEAD',
  'PARTITION_STOPPED',
  'COMMIT_FAILING',
  'PUBLISH_FAILING',
  'KEY_QUARANTINED',
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

export interface Reason {
  readonly code: ReasonCode;
  /** What it does to the cluster's health; `note`: nothing. */
  readonly severity: 'unhealthy' | 'degraded' | 'note';
  readonly node: string | null;
  readonly text: string;
}

export interface StatusDocument {
  readonly schema: typeof statusSchemaName;
  readonly at: string;
  /** The node that answered. */
  readonly via: string;
  /** `leader`: confirmed by a quorum; `local`: what this node knows, perhaps late. */
  readonly consistency: 'leader' | 'local';
  readonly cluster: {
    readonly id: string | null;
    readonly name: string;
    readonly health: Health;
    readonly leader: string | null;
    readonly term: string | null;
    readonly leaderSinceMs: number | null;
    /** How many more voters may be lost. */
    readonly failureTolerance: number;
    readonly quorum: { readonly voters: number; readonly reachable: number };
    /** Users whose records become dead letters, since one of them ended processes or their state can't be kept or read. */
    readonly quarantined: number;
    readonly reasons: readonly Reason[];
  };
  readonly ingest: {
    readonly recordsPerSec: number | null;
    /** Null: it isn't known of every partition, as when one has just come to another shard or its reader doesn't answer. */
    readonly lagRecords: string | null;
    readonly lagSeconds: number | null;
    /** How old the oldest figure in it is: what came since isn't in it. */
    readonly lagAgeMs: number | null;
  };
  /** Of leases over shards, as the leader says; null when it didn't answer. */
  readonly balancing: BalancingReport | null;
  /** What keeps the leader from its duties, as it says; null when it didn't answer. */
  readonly problems: readonly LeaderProblem[] | null;
  readonly backup: { readonly oldestAgeMs: number | null; readonly intervalMs: number };
  /** Sums over the nodes that answered, since each one's start. */
  readonly totals: Totals;
  readonly nodes: readonly StatusNode[];
}

export interface Totals {
  readonly read: string;
  readonly applied: string;
  readonly forwarded: string;
  readonly refused: string;
  readonly replayed: string;
  readonly duplicates: string;
  readonly skipped: string;
  readonly dead: string;
  readonly outputs: string;
  readonly fenced: string;
}

export interface StatusNode {
  readonly id: string;
  readonly addr: string;
  readonly reachable: boolean;
  readonly error: string | null;
  readonly member: string | null;
  readonly memberSinceMs: number | null;
  readonly version: string | null;
  readonly upMs: number | null;
  readonly raft: { readonly role: string | null; readonly term: string | null; readonly trails: string | null };
  readonly session: { readonly id: string | null; readonly endsInMs: number | null };
  /** `stale`: by the table, not by the node itself. */
  readonly leases: { readonly count: number | null; readonly stale: boolean };
  /** It is to hold and read nothing; what it has is being moved. */
  readonly draining: boolean;
  readonly recPerSec: number | null;
  readonly fwdPerSec: number | null;
  /** Records parked and frames under way. */
  readonly queue: number | null;
  readonly loopP99Ms: number | null;
  readonly cpuPercent: number | null;
  readonly rssBytes: string | null;
  /** Of the oldest change that no backup covers; 0: all is covered. */
  readonly backupAgeMs: number | null;
  readonly lastSeen: string | null;
  /** Whether log and store answer it; null: it didn't say. */
  readonly services: ServicesReport | null;
  readonly shards: readonly StatusShard[];
}

export interface StatusShard {
  readonly index: number;
  readonly address: string | null;
  readonly leases: number;
  readonly dirty: number;
  readonly partitions: readonly string[];
  readonly recPerSec: number | null;
  readonly fwdPerSec: number | null;
  readonly queue: number;
  /** Of those of its partitions of which it is known. */
  readonly lagRecords: string;
  readonly backupAgeMs: number;
  /** Units handed over by plan since the start, and still to hand over. */
  readonly moved: string;
  readonly handOverLeft: number;
  /** What the move of a key cost those of its records that came back, as this shard's readings saw it; null before the first. */
  readonly movePause: { readonly count: string; readonly p50Ms: number; readonly p99Ms: number } | null;
  readonly hot: readonly HotUnit[];
}
