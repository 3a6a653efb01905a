import type { ShardStatName } from '@holdfast/engine';
import { heldBackReasons } from './held-back-reasons.ts';
import { leaderReasons } from './leader-reasons.ts';
import { type LeaderProblem, type NodeAnswer, type ServicesReport, statOf, type TableFacts } from './node-report.ts';
import type { Health, Reason, ReasonCode, StatusNode } from './status-document.ts';

/** A round may just be due; twice the interval is late, three times is wrong (`BACKUP_STALE`). */
const backupStaleFactor = 3;
const lagHighSeconds = 60;
const unreadListedMax = 8;
const quarantinedListedMax = 3;

export interface ReasonFacts {
  readonly leader: string | null;
  readonly voters: readonly string[];
  readonly reachableVoters: number;
  readonly nodes: readonly StatusNode[];
  readonly answers: readonly NodeAnswer[];
  readonly table: TableFacts;
  /** As the leader says. */
  readonly problems: readonly LeaderProblem[];
  readonly lagSeconds: number | null;
  readonly backupIntervalMs: number;
}

/** Voters that may still be lost before there is no quorum. */
export function failureToleranceOf(voters: number, reachable: number): number {
  return Math.max(0, reachable - (Math.floor(voters / 2) + 1));
}

export function healthOf(reasons: readonly Reason[]): Health {
  if (reasons.some(({ severity }) => severity === 'unhealthy')) return 'unhealthy';
  return reasons.some(({ severity }) => severity === 'degraded') ? 'degraded' : 'ok';
}

/** Why the cluster isn't well, worst first. Unhealthy: something is not served. Degraded: all is, for now. */
export function findReasons(facts: ReasonFacts): Reason[] {
  const reasons: Reason[] = [];
  const add = (severity: Reason['severity'], code: ReasonCode, node: string | null, text: string) => {
    reasons.push({ code, severity, node, text });
  };
  const { voters, reachableVoters } = facts;
  if (facts.leader === null) {
    const quorum = Math.floor(voters.length / 2) + 1;
    const why =
      reachableVoters < quorum
        ? `${reachableVoters} of ${voters.length} voters answer, ${quorum} are needed`
        : 'an election is under way';
    add('unhealthy', 'NO_LEADER', null, `no leader: ${why}`);
  }
  for (const node of facts.nodes) addNode(node, facts, add);
  const led = facts.nodes.find(({ id }) => id === facts.leader);
  for (const { code, text } of leaderReasons(facts.problems, led?.services ?? null)) add('unhealthy', code, null, text);
  addUnread(facts, add);
  for (const answer of facts.answers) {
    if (!answer.ok) continue;
    addStopped(answer.report, add);
    for (const { severity, code, text } of heldBackReasons(answer.report)) add(severity, code, answer.report.id, text);
    addBackups(answer.report, facts.backupIntervalMs, add);
    addStoreAhead(answer.report, add);
  }
  if (facts.leader !== null && failureToleranceOf(voters.length, reachableVoters) === 0) {
    const small = voters.length < 3;
    const text = small
      ? `${voters.length} voter${voters.length === 1 ? '' : 's'}: no failure is tolerated`
      : 'no further failure is tolerated';
    add(small ? 'note' : 'degraded', 'TOLERANCE_ZERO', null, text);
  }
  if ((facts.lagSeconds ?? 0) > lagHighSeconds) {
    add('degraded', 'LAG_HIGH', null, `the oldest unread record waits for ${Math.round(facts.lagSeconds!)}s`);
  }
  addQuarantined(facts.table.quarantined, add);
  const rank = { unhealthy: 0, degraded: 1, note: 2 };
  return reasons.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

type Add = (severity: Reason['severity'], code: ReasonCode, node: string | null, text: string) => void;

function addNode(node: StatusNode, facts: ReasonFacts, add: Add): void {
  const since = node.memberSinceMs === null ? '' : ` for ${(node.memberSinceMs / 1000).toFixed(1)}s`;
  const held = facts.table.sessions.find(({ nodeId }) => nodeId === node.id);
  const waiting = held !== undefined && held.units > 0 ? `; ${held.units} keys wait for its session to end` : '';
  if (node.reachable) {
    if (node.member === 'suspect') add('degraded', 'NODE_SUSPECT', node.id, `suspect${since}`);
    if (node.session.id === null) add('degraded', 'NO_SESSION', node.id, 'has no session: it holds nothing');
    if (node.services !== null) addServices(node.id, node.services, add);
    return;
  }
  const why = node.error === null ? '' : ` (${node.error})`;
  if (node.member === 'suspect') add('degraded', 'NODE_SUSPECT', node.id, `suspect${since}${why}${waiting}`);
  else if (node.member === 'dead' || node.member === 'left') {
    add('degraded', 'NODE_DEAD', node.id, `${node.member}${since}${why}${waiting}`);
  } else add('degraded', 'NODE_UNREACHABLE', node.id, `does not answer${why}${waiting}`);
}

/** What it reads or holds is not served, or not backed up, as long as that lasts and it keeps its session. */
function addServices(id: string, { log, store }: ServicesReport, add: Add): void {
  for (const [code, name, { awayMs, why }] of [
    ['LOG_UNREACHABLE', 'log', log],
    ['STORE_UNREACHABLE', 'store', store],
  ] as const) {
    if (awayMs === null) continue;
    const text = `has no answer from the ${name} for ${Math.round(awayMs / 1000)}s${why === null ? '' : ` (${why})`}`;
    add('unhealthy', code, id, text);
  }
}

function addUnread({ table }: ReasonFacts, add: Add): void {
  const unread = table.topics.flatMap(({ topic, readers }) =>
    readers.flatMap((reader, partition) => (reader === null ? [`${topic}/${partition}`] : [])),
  );
  if (unread.length === 0) return;
  const listed = unread.slice(0, unreadListedMax).join(', ');
  add(
    'unhealthy',
    'PARTITION_UNREAD',
    null,
    `nobody reads ${listed}${unread.length > unreadListedMax ? ` and ${unread.length - unreadListedMax} more` : ''}`,
  );
}

/** The log answers its node, but not about these. */
function addStopped({ id, shards, services }: Report, add: Add): void {
  const stopped = sumOf(shards, 'partitionsStopped');
  if (stopped === 0 || services.log.awayMs !== null) return;
  const which = stopped === 1 ? 'a partition' : `${stopped} partitions`;
  add('unhealthy', 'PARTITION_STOPPED', id, `can't read ${which} that it has: its log says which, and why`);
}

function addQuarantined(units: readonly string[], add: Add): void {
  if (units.length === 0) return;
  const listed = units.slice(0, quarantinedListedMax).join(', ');
  const more = units.length > quarantinedListedMax ? ` and ${units.length - quarantinedListedMax} more` : '';
  const whose = units.length === 1 ? 'user is' : 'users are';
  const text = `${units.length} ${whose} in quarantine (unit ${listed}${more}): a record ended process after process, or their state can't be backed up or read; their records become dead letters`;
  add('degraded', 'KEY_QUARANTINED', null, text);
}

function addStoreAhead({ id, shards }: Report, add: Add): void {
  const ahead = Math.max(0, ...shards.map((shard) => statOf(shard, 'storeAheadEntries')));
  if (ahead === 0) return;
  const text = `the store has epochs that this cluster's log can't have given, ${ahead} entries ahead of it: nothing is taken on or made durable; another cluster uses the same store, or the log was lost or restored`;
  add('unhealthy', 'STORE_AHEAD', id, text);
}

type Report = (NodeAnswer & { ok: true })['report'];

function sumOf(shards: Report['shards'], name: ShardStatName): number {
  return shards.reduce((sum, shard) => sum + statOf(shard, name), 0);
}

function addBackups(report: Report, intervalMs: number, add: Add): void {
  const ageMs = Math.max(0, ...report.shards.map(({ oldestDirtyAgeMs }) => oldestDirtyAgeMs ?? 0));
  if (ageMs <= backupStaleFactor * intervalMs) return;
  const failing = sumOf(report.shards, 'storeCallsFailing');
  const text = `a change waits for its backup for ${Math.round(ageMs / 1000)}s`;
  if (failing > 0) add('unhealthy', 'BACKUP_FAILING', report.id, `${text}; ${failing} calls of the store fail`);
  else add('degraded', 'BACKUP_STALE', report.id, text);
}
