import type { LeaseTable } from '@holdfast/lease';
import { formatUnit, type NodeId, type SessionId, type ShardIndex } from '@holdfast/model';
import type { Role } from '@holdfast/raft';
import type { HeldBack } from '../shard-messages.ts';
import { type ShardStatName, shardStatNames } from '../shard-stats.ts';
import { encodeHex } from './calls.ts';
import type { LeaderProblem } from './leader-problems.ts';
import type { LeaderTerm } from './leader-term.ts';
import { nodeOfMember } from './member-id.ts';
import type { NodeSession } from './node-session.ts';
import type { NodeSessionState } from './node-session-options.ts';
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
  readonly shards: readonly {
    readonly shard: number;
    readonly stats: Readonly<Record<ShardStatName, number>>;
    /** The units with most records of late, the busiest first. */
    readonly hot: readonly HotUnitSummary[];
    /** What the log hasn't taken from it for 15 s. */
    readonly heldBack: readonly HeldBackSummary[];
  }[];
  /** What keeps the leader from its duties; null at other nodes. */
  readonly problems: readonly LeaderProblem[] | null;
  /** Where the leader stands with balancing; null at other nodes. */
  readonly balancing: LeaderTerm['balancing'] | null;
}

export interface HeldBackSummary extends Omit<HeldBack, 'begunMs'> {
  /** Since the first try began. */
  readonly sinceMs: number;
}

export interface HotUnitSummary {
  /** 16 hex digits */
  readonly unit: string;
  /** Key bytes of its user, in hex; null while its row isn't here. */
  readonly keyHex: string | null;
  readonly recordsPerSec: number;
  readonly share: number;
}

export interface RaftSummary {
  readonly role: Role;
  readonly leader: string | null;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly voters: readonly string[];
  /** The voters that are being replaced; empty unless a change of members is under way. */
  readonly votersOutgoing: readonly string[];
  readonly learners: readonly string[];
  /** The member that leadership is being handed to. */
  readonly transferee: string | null;
  /** At the leader: the other members. */
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
  /** Units in quarantine, 16 hex digits each. */
  readonly quarantined: readonly string[];
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
  /** Its node is to hold and read nothing. */
  readonly draining: boolean;
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
      hot: session.hot(shard).map(({ hi, lo, key, recordsPerSec, share }) => ({
        unit: formatUnit(hi, lo),
        keyHex: key === null ? null : encodeHex(key),
        recordsPerSec,
        share,
      })),
      heldBack: session.heldBack(shard).map(({ begunMs, ...held }) => ({ ...held, sinceMs: nowMs - begunMs })),
    })),
    problems: term === null ? null : term.problems,
    balancing: term === null ? null : term.balancing,
  };
}

function raftSummary(driver: RaftDriver): RaftSummary {
  const { role, leader, term, commit, applied, lastIndex, conf, progress, transferee } = driver.status();
  const peers = [...progress].map(([id, { match, state, recentActive }]) => ({
    id: nodeOfMember(id),
    match,
    state,
    active: recentActive,
  }));
  const nodesOf = (members: readonly string[]): string[] => members.map(nodeOfMember);
  const members = {
    voters: nodesOf(conf.voters),
    votersOutgoing: nodesOf(conf.votersOutgoing),
    learners: nodesOf(conf.learners),
    transferee: transferee === null ? null : nodeOfMember(transferee),
  };
  const leaderNode = leader === null ? null : nodeOfMember(leader);
  return {
    role,
    leader: leaderNode,
    term,
    commit,
    applied,
    lastIndex,
    ...members,
    peers,
    mailboxCount: driver.mailboxCount,
  };
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
    quarantined: table.quarantine.units.filter(({ before }) => before === null).map(({ hi, lo }) => formatUnit(hi, lo)),
    generation: { number: table.generation, id: table.storeGeneration, index: table.generationIndex },
    sessions: sessions.map(({ session, nodeId, counter, version, closing, addresses }) => ({
      session,
      nodeId,
      counter,
      version,
      closing,
      draining: table.isDraining(session),
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
