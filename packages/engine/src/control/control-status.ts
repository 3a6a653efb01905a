import type { LeaseTable } from '@holdfast/lease';
import type { NodeId, SessionId, ShardIndex } from '@holdfast/model';
import type { Role } from '@holdfast/raft';
import { type ShardStatName, shardStatNames } from '../shard-stats.ts';
import type { LeaderTerm } from './leader-term.ts';
import type { NodeSession, NodeSessionState } from './node-session.ts';
import type { RaftDriver } from './raft-driver.ts';

/** What one node's control plane knows: plain JSON data, for `holdfast status` and metrics. */
export interface ControlStatus {
  readonly nodeId: string;
  readonly version: string;
  readonly incarnation: { readonly uuid: string; readonly counter: number };
  readonly peerAddress: string;
  readonly raft: RaftSummary;
  readonly session: {
    readonly id: number;
    readonly state: NodeSessionState;
    /** since the last confirmed proof of life was asked for; null before the first */
    readonly renewedAgoMs: number | null;
  };
  readonly table: TableSummary;
  readonly shards: readonly { readonly shard: number; readonly stats: Readonly<Record<ShardStatName, number>> }[];
  /** What keeps the leader from its duties, by what it is about; null at other nodes. */
  readonly problems: Readonly<Record<string, string>> | null;
}

export interface RaftSummary {
  readonly role: Role;
  readonly leader: string | null;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly voters: readonly string[];
  /** At the leader: the other voters. */
  readonly peers: readonly {
    readonly id: string;
    readonly match: number;
    readonly state: string;
    readonly active: boolean;
  }[];
  readonly mailboxCount: number;
}

export interface TableSummary {
  readonly index: number;
  readonly epochBase: number;
  readonly units: number;
  readonly uncleanCount: number;
  readonly forcedCount: number;
  readonly generation: { readonly number: number; readonly id: string; readonly index: number };
  readonly sessions: readonly SessionSummary[];
  readonly partitions: readonly PartitionSummary[];
}

export interface SessionSummary {
  readonly session: number;
  readonly nodeId: string;
  readonly counter: number;
  readonly version: string;
  readonly closing: boolean;
  readonly peerAddress: string;
  readonly shards: readonly { readonly address: string; readonly units: number }[];
}

export interface PartitionSummary {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** null: nobody reads it */
  readonly reader: {
    readonly session: number;
    readonly nodeId: string;
    readonly shard: number;
    readonly epoch: number;
  } | null;
}

/** Who holds a unit, as this node's table shows it. */
export interface UnitInfo {
  readonly session: number;
  readonly nodeId: NodeId;
  readonly shard: number;
  readonly epoch: number;
  /** The holder's session is going on. */
  readonly live: boolean;
  /** The index up to which this is true. */
  readonly tableIndex: number;
}

export interface StatusSources {
  readonly nodeId: NodeId;
  readonly version: string;
  readonly peerAddress: string;
  readonly driver: RaftDriver;
  readonly table: LeaseTable;
  readonly session: NodeSession;
  readonly term: LeaderTerm | null;
  readonly nowMs: number;
}

export function controlStatus({
  nodeId,
  version,
  peerAddress,
  driver,
  table,
  session,
  term,
  nowMs,
}: StatusSources): ControlStatus {
  return {
    nodeId,
    version,
    incarnation: session.incarnation,
    peerAddress,
    raft: raftSummary(driver),
    session: {
      id: session.session,
      state: session.state,
      renewedAgoMs: session.renewedAtMs === null ? null : nowMs - session.renewedAtMs,
    },
    table: tableSummary(table),
    shards: session.shards.map(({ stats }, shard) => ({
      shard,
      stats: Object.fromEntries(shardStatNames.map((name) => [name, stats.get(name)])) as Record<ShardStatName, number>,
    })),
    problems: term === null ? null : Object.fromEntries(term.problems),
  };
}

function raftSummary(driver: RaftDriver): RaftSummary {
  const { role, leader, term, commit, applied, lastIndex, voters, progress } = driver.status();
  const peers = [...progress].map(([id, { match, state, recentActive }]) => ({
    id,
    match,
    state,
    active: recentActive,
  }));
  return { role, leader, term, commit, applied, lastIndex, voters, peers, mailboxCount: driver.mailboxCount };
}

export function tableSummary(table: LeaseTable): TableSummary {
  const sessions = [...table.sessions()];
  const nodeOf = new Map(sessions.map(({ session, nodeId }) => [session, nodeId]));
  return {
    index: table.tableIndex,
    epochBase: table.epochBase,
    units: table.unitCount,
    uncleanCount: table.uncleanCount,
    forcedCount: table.forcedCount,
    generation: { number: table.generation, id: table.storeGeneration, index: table.generationIndex },
    sessions: sessions.map(({ session, nodeId, counter, version, closing, addresses }) => ({
      session,
      nodeId,
      counter,
      version,
      closing,
      peerAddress: addresses[0] ?? '',
      shards: addresses.slice(1).map((address, i) => ({ address, units: table.load(session, i as ShardIndex) })),
    })),
    partitions: partitionSummaries(table, nodeOf),
  };
}

function partitionSummaries(table: LeaseTable, nodeOf: ReadonlyMap<SessionId, NodeId>): PartitionSummary[] {
  const list: PartitionSummary[] = [];
  for (const { topic, topicId: id } of table.topics()) {
    for (const [partition, lease] of table.partitionLeases(id).entries()) {
      const reader = lease === null ? null : { ...lease, nodeId: nodeOf.get(lease.session) ?? '' };
      list.push({ topic, topicId: id, partition, reader });
    }
  }
  return list;
}

export function unitInfoOf(table: LeaseTable, hi: number, lo: number): UnitInfo | null {
  const lease = table.get(hi, lo);
  if (lease === null) return null;
  const { session, nodeId, shard, epoch } = lease;
  return { session, nodeId, shard, epoch, live: table.session(session) !== undefined, tableIndex: table.tableIndex };
}
