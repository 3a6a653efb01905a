import type { HeldBackSummary, LeaderProblem, ServiceReport, ServicesReport, ShardStatName } from '@holdfast/engine';
import type { MemberState } from '@holdfast/membership';

export type { HeldBackSummary, LeaderProblem, ServiceReport, ServicesReport };

/** What a node reports of itself: the raw material of the status document. Plain JSON data; unknown is null. */
export interface NodeReport {
  readonly id: string;
  /** host:port of its control service. */
  readonly address: string;
  readonly version: string;
  readonly atUnixMs: number;
  readonly raft: {
    readonly role: 'leader' | 'follower' | 'candidate' | 'learner';
    readonly term: number;
    readonly leader: string | null;
    readonly voters: readonly string[];
    readonly commitIndex: number;
    readonly appliedIndex: number;
    /** Entries behind the leader's commit index, as far as it knows; null on the leader and without one. */
    readonly trails: number | null;
    /** How long the present leader has led, as far as this node has seen. */
    readonly leaderSinceMs: number | null;
  };
  /** Where balancing stands; null at nodes that don't lead. */
  readonly balancing: BalancingReport | null;
  /** What keeps the leader from its duties; null at nodes that don't lead. */
  readonly problems: readonly LeaderProblem[] | null;
  /** Null: it has no right to hold anything now. */
  readonly session: { readonly id: number; readonly endsInMs: number | null } | null;
  readonly shards: readonly ShardReport[];
  /** Units in quarantine, as its lease table shows. */
  readonly quarantined: number;
  readonly services: ServicesReport;
  readonly process: {
    /** Of one core: 212 is two cores and a bit. */
    readonly cpuPercent: number | null;
    readonly rssBytes: number;
    /** Delay of the control thread's event loop. */
    readonly loopP99Ms: number | null;
    readonly upMs: number;
  };
  /** Everybody it knows of, itself included, as gossip tells. */
  readonly members: readonly { readonly id: string; readonly state: MemberState; readonly sinceMs: number }[];
}

export interface ShardReport {
  readonly index: number;
  readonly address: string | null;
  /** Units leased to it. */
  readonly leases: number;
  /** `topic/partition` */
  readonly partitions: readonly string[];
  /** Totals and levels since the shard started. */
  readonly stats: Readonly<Record<ShardStatName, number>>;
  /** Age of the oldest change that no backup covers; null when there is none. */
  readonly oldestDirtyAgeMs: number | null;
  /** The units with most records of late, the busiest first. */
  readonly hot: readonly HotUnit[];
  /** What the log hasn't taken from it for 15 s. */
  readonly heldBack: readonly HeldBackSummary[];
  /** Records per second over the last seconds; null before there are two samples. */
  readonly readPerSec: number | null;
  readonly appliedPerSec: number | null;
  readonly forwardedPerSec: number | null;
}

/** A counter of a shard; 0 where a node of an earlier version has no such number. */
export function statOf({ stats }: Pick<ShardReport, 'stats'>, name: ShardStatName): number {
  return stats[name] ?? 0;
}

/** A unit that gets many records; what is counted is a lower bound. */
export interface HotUnit {
  /** 16 hex digits */
  readonly unit: string;
  /** Its user, as text or 0x and hex; null while its state isn't there. */
  readonly user: string | null;
  readonly recPerSec: number;
  /** Its part of all records of its shard, 0 to 1. */
  readonly share: number;
}

/** A row of the table: the node's own report, or why there is none, with what it said last. */
export type NodeAnswer =
  | { readonly ok: true; readonly report: NodeReport }
  | {
      readonly ok: false;
      readonly id: string;
      readonly address: string;
      readonly error: string;
      readonly last: NodeReport | null;
    };

/** How far the leader is with evening out leases. */
export interface BalancingReport {
  readonly active: boolean;
  /** Units that the present round still has to move. */
  readonly left: number;
  /** Why nothing is moved for balance; null: nothing is in the way. */
  readonly pause: string | null;
}

/** What the lease table knows, taken at one index. */
export interface TableFacts {
  readonly index: number;
  readonly sessions: readonly {
    readonly session: number;
    readonly nodeId: string;
    readonly closing: boolean;
    /** Its node is to hold and read nothing. */
    readonly draining: boolean;
    /** Units leased to all of its shards. */
    readonly units: number;
  }[];
  /** Units in quarantine, 16 hex digits each. */
  readonly quarantined: readonly string[];
  /** Per partition the session that reads it; null: nobody does. */
  readonly topics: readonly { readonly topic: string; readonly readers: readonly (number | null)[] }[];
}
