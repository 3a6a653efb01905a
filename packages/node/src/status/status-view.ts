import type { ShardStatName } from '@holdfast/engine';
import { type NodeAnswer, type NodeReport, type ShardReport, statOf, type TableFacts } from './node-report.ts';
import { failureToleranceOf, findReasons, healthOf } from './reasons.ts';
import {
  type StatusDocument,
  type StatusNode,
  type StatusShard,
  statusSchemaName,
  type Totals,
} from './status-document.ts';

/** Everything a status document is made of. Pure data: who gathers it decides when to stop waiting for a node. */
export interface StatusInput {
  readonly atUnixMs: number;
  readonly via: string;
  readonly consistency: 'leader' | 'local';
  readonly clusterId: string | null;
  readonly clusterName: string;
  /** One for every node known (`knownNodes`), whether it answered or not. */
  readonly answers: readonly NodeAnswer[];
  readonly table: TableFacts;
  readonly backupIntervalMs: number;
}

/** The status document of a cluster: every node a row, whether it answered or not, and why the cluster isn't well. */
export function statusView(input: StatusInput): StatusDocument {
  const { answers, table } = input;
  const reports = answers.flatMap((answer) => (answer.ok ? [answer.report] : []));
  const via = reports.find(({ id }) => id === input.via) ?? reports[0];
  const nodes = answers.map((answer) => nodeRow(answer, via, table)).sort((a, b) => compareText(a.id, b.id));
  const voters = via?.raft.voters ?? [];
  const reachableVoters = voters.filter((id) => reports.some((report) => report.id === id)).length;
  const led = leadership(reports, voters.length);
  const lagSeconds = maxOf(reports.flatMap(({ shards }) => shards.map((shard) => statOf(shard, 'lagMs') / 1000)));
  const { backupIntervalMs } = input;
  const { leader } = led;
  const leaderReport = reports.find(({ id }) => id === leader);
  // A node of an earlier version says nothing of them.
  const problems = leaderReport?.problems ?? null;
  const reasons = findReasons({
    leader,
    voters,
    reachableVoters,
    nodes,
    answers,
    table,
    problems: problems ?? [],
    lagSeconds,
    backupIntervalMs,
  });
  return {
    schema: statusSchemaName,
    at: new Date(input.atUnixMs).toISOString(),
    via: input.via,
    consistency: input.consistency,
    cluster: {
      id: input.clusterId,
      name: input.clusterName,
      health: healthOf(reasons),
      leader,
      term: led.term,
      leaderSinceMs: led.sinceMs,
      failureTolerance: failureToleranceOf(voters.length, reachableVoters),
      quorum: { voters: voters.length, reachable: reachableVoters },
      quarantined: table.quarantined.length,
      reasons,
    },
    ingest: {
      recordsPerSec: sumOf(reports.flatMap(({ shards }) => shards.map(({ readPerSec }) => readPerSec))),
      lagRecords: isLagKnown(reports, table) ? String(total(reports, 'lagRecords')) : null,
      lagSeconds,
      // A node of an earlier version says nothing of it.
      lagAgeMs: maxOf(reports.flatMap(({ shards }) => shards.flatMap(({ stats }) => stats.lagAgeMs ?? []))),
    },
    balancing: leaderReport?.balancing ?? null,
    problems,
    backup: { oldestAgeMs: maxOf(nodes.flatMap(({ backupAgeMs }) => backupAgeMs ?? [])), intervalMs: backupIntervalMs },
    totals: totalsOf(reports),
    nodes,
  };
}

/** Of every partition there is. What has just come to a shard, or whose reader doesn't answer, isn't counted as none. */
function isLagKnown(reports: readonly NodeReport[], { topics }: TableFacts): boolean {
  // A node of an earlier version says nothing of what it has measured.
  const shards = reports.flatMap((report) => report.shards);
  const measured = shards.filter(({ stats, partitions }) => !(stats.partitionsMeasured < partitions.length));
  const known = new Set(measured.flatMap(({ partitions }) => partitions));
  const all = topics.flatMap(({ topic, readers }) => readers.map((_, partition) => `${topic}/${partition}`));
  return all.length > 0 && all.every((partition) => known.has(partition));
}

/** The leader of the highest term that a majority of the voters follows, as reported: a cut-off one may still think it leads. */
function leadership(
  reports: readonly NodeReport[],
  voters: number,
): { leader: string | null; term: string | null; sinceMs: number | null } {
  const term = maxOf(reports.map(({ raft }) => raft.term));
  const latest = reports.filter(({ raft }) => raft.term === term && raft.leader !== null);
  const leader = latest[0]?.raft.leader ?? null;
  const itself = reports.find(({ id }) => id === leader);
  // It may be out of this node's reach and lead all the same; then a majority must say so.
  const confirmed = itself !== undefined ? itself.raft.role === 'leader' : latest.length * 2 > voters;
  const sinceMs = (itself ?? latest[0])?.raft.leaderSinceMs ?? null;
  return {
    leader: confirmed ? leader : null,
    term: term === null ? null : String(term),
    sinceMs: confirmed ? sinceMs : null,
  };
}

function nodeRow(answer: NodeAnswer, via: NodeReport | undefined, table: TableFacts): StatusNode {
  const report = answer.ok ? answer.report : answer.last;
  const id = answer.ok ? answer.report.id : answer.id;
  const member = via?.members.find((m) => m.id === id);
  const held = table.sessions.find(({ nodeId }) => nodeId === id);
  const base = {
    id,
    addr: answer.ok ? answer.report.address : answer.address,
    member: member?.state ?? null,
    memberSinceMs: member?.sinceMs ?? null,
    draining: held?.draining ?? false,
    version: report?.version ?? null,
    lastSeen: report === null ? null : new Date(report.atUnixMs).toISOString(),
  };
  if (!answer.ok) {
    return {
      ...base,
      reachable: false,
      error: answer.error,
      upMs: null,
      raft: { role: null, term: null, trails: null },
      session: { id: held === undefined ? null : String(held.session), endsInMs: null },
      // Whoever has no session holds nothing, whatever it said last.
      leases: { count: held?.units ?? 0, stale: true },
      recPerSec: null,
      fwdPerSec: null,
      queue: null,
      loopP99Ms: null,
      cpuPercent: null,
      rssBytes: null,
      backupAgeMs: report === null || held === undefined ? null : backupAgeOf(report),
      services: null,
      shards: [],
    };
  }
  const { raft, session, process, shards } = answer.report;
  return {
    ...base,
    reachable: true,
    error: null,
    upMs: process.upMs,
    raft: { role: raft.role, term: String(raft.term), trails: raft.trails === null ? null : String(raft.trails) },
    session: { id: session === null ? null : String(session.id), endsInMs: session?.endsInMs ?? null },
    leases: { count: leasesOf(answer.report), stale: false },
    recPerSec: sumOf(shards.map(({ appliedPerSec }) => appliedPerSec)),
    fwdPerSec: sumOf(shards.map(({ forwardedPerSec }) => forwardedPerSec)),
    queue: shards.reduce((sum, shard) => sum + queueOf(shard), 0),
    loopP99Ms: process.loopP99Ms,
    cpuPercent: process.cpuPercent,
    rssBytes: String(process.rssBytes),
    backupAgeMs: backupAgeOf(answer.report),
    services: answer.report.services,
    shards: shards.map(shardRow),
  };
}

function shardRow(shard: ShardReport): StatusShard {
  return {
    index: shard.index,
    address: shard.address,
    leases: shard.leases,
    dirty: statOf(shard, 'unitsDirty'),
    partitions: shard.partitions,
    recPerSec: shard.appliedPerSec,
    fwdPerSec: shard.forwardedPerSec,
    queue: queueOf(shard),
    lagRecords: String(statOf(shard, 'lagRecords')),
    backupAgeMs: shard.oldestDirtyAgeMs ?? 0,
    moved: String(statOf(shard, 'unitsMoved')),
    handOverLeft: statOf(shard, 'handOverLeft'),
    movePause: pauseOf(shard),
    hot: shard.hot,
  };
}

function pauseOf(shard: ShardReport): StatusShard['movePause'] {
  const count = statOf(shard, 'pausesMeasured');
  if (count === 0) return null;
  return { count: String(count), p50Ms: statOf(shard, 'pauseP50Ms'), p99Ms: statOf(shard, 'pauseP99Ms') };
}

function totalsOf(reports: readonly NodeReport[]): Totals {
  const text = (name: ShardStatName) => String(total(reports, name));
  return {
    read: text('recordsRead'),
    applied: text('recordsApplied'),
    forwarded: text('recordsForwarded'),
    refused: text('recordsRefused'),
    replayed: text('recordsReplayed'),
    duplicates: text('recordsDuplicate'),
    skipped: text('recordsSkipped'),
    dead: text('recordsDead'),
    outputs: text('outputsEmitted'),
    fenced: String(total(reports, 'backupsFenced') + total(reports, 'commitsFenced')),
  };
}

function queueOf(shard: ShardReport): number {
  return statOf(shard, 'parkedRecords') + statOf(shard, 'framesInFlight');
}

function leasesOf({ shards }: NodeReport): number {
  return shards.reduce((sum, { leases }) => sum + leases, 0);
}

function backupAgeOf({ shards }: NodeReport): number {
  return Math.max(0, ...shards.map(({ oldestDirtyAgeMs }) => oldestDirtyAgeMs ?? 0));
}

function total(reports: readonly NodeReport[], name: ShardStatName): number {
  return reports.reduce((sum, { shards }) => sum + shards.reduce((inner, shard) => inner + statOf(shard, name), 0), 0);
}

/** Null when nothing is known: 0 would be a statement. */
function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function maxOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
