import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ShardStatName, shardStatNames } from '@holdfast/engine';
import type { LeaderProblem, NodeAnswer, NodeReport, ShardReport, TableFacts } from './node-report.ts';
import { RateMeter } from './rate-meter.ts';
import { type StatusInput, statusView } from './status-view.ts';

const voters = ['n1', 'n2', 'n3'];
const atUnixMs = Date.UTC(2026, 0, 1);

function shard(
  index: number,
  given: Partial<ShardReport> = {},
  stats: Partial<Record<ShardStatName, number>> = {},
): ShardReport {
  const zero = Object.fromEntries(shardStatNames.map((name) => [name, 0])) as Record<ShardStatName, number>;
  const rates = { readPerSec: 10, appliedPerSec: 20, forwardedPerSec: 5 };
  return {
    index,
    address: null,
    leases: 7,
    partitions: [],
    hot: [],
    heldBack: [],
    oldestDirtyAgeMs: null,
    ...rates,
    ...given,
    stats: { ...zero, ...stats },
  };
}

function report(id: string, given: Partial<NodeReport> = {}): NodeReport {
  return {
    id,
    address: `${id}:7400`,
    version: '0.1.0',
    atUnixMs,
    raft: {
      role: id === 'n1' ? 'leader' : 'follower',
      term: 3,
      leader: 'n1',
      voters,
      commitIndex: 9,
      appliedIndex: 9,
      trails: id === 'n1' ? null : 0,
      leaderSinceMs: 60_000,
    },
    session: { id: 5, endsInMs: null },
    balancing: null,
    problems: id === 'n1' ? [] : null,
    quarantined: 0,
    services: { log: { awayMs: null, why: null }, store: { awayMs: null, why: null } },
    shards: [shard(0)],
    process: { cpuPercent: 50, rssBytes: 1_000, loopP99Ms: 2, upMs: 1_000 },
    members: voters.map((member) => ({ id: member, state: 'alive' as const, sinceMs: 0 })),
    ...given,
  };
}

const ok = (id: string, given?: Partial<NodeReport>): NodeAnswer => ({ ok: true, report: report(id, given) });
const table: TableFacts = {
  index: 9,
  sessions: voters.map((nodeId, i) => ({ session: 5 + i, nodeId, closing: false, draining: false, units: 7 })),
  quarantined: [],
  topics: [{ topic: 'access-log', readers: [5, 6, 7] }],
};

function view(answers: readonly NodeAnswer[], more: Partial<StatusInput> = {}) {
  return statusView({
    atUnixMs,
    via: 'n1',
    consistency: 'leader',
    clusterId: 'c',
    clusterName: 'prod',
    answers,
    table,
    backupIntervalMs: 30_000,
    ...more,
  });
}

test('three nodes that answer are healthy, and their figures add up', () => {
  const status = view([ok('n3'), ok('n1'), ok('n2')]);
  assert.equal(status.cluster.health, 'ok');
  assert.deepEqual(status.cluster.reasons, []);
  assert.deepEqual(
    status.nodes.map(({ id }) => id),
    voters,
  );
  assert.equal(status.cluster.leader, 'n1');
  assert.equal(status.cluster.failureTolerance, 1);
  assert.equal(status.ingest.recordsPerSec, 30);
  assert.equal(status.nodes[0]!.recPerSec, 20);
});

test('the lag is known when it is of every partition', () => {
  const partitions = (...numbers: number[]) => numbers.map((n) => `access-log/${n}`);
  const reading = (given: string[], lagRecords: number, partitionsMeasured = given.length) => {
    return { shards: [shard(0, { partitions: given }, { lagRecords, partitionsMeasured })] };
  };
  const lagOf = (...answers: NodeAnswer[]) => view(answers).ingest.lagRecords;
  const n1 = ok('n1', reading(partitions(0, 1), 4));
  assert.equal(lagOf(n1, ok('n2', reading(partitions(2), 3))), '7');
  assert.equal(lagOf(n1, ok('n2', reading(partitions(2), 0, 0))), null, 'not measured yet');
  assert.equal(lagOf(n1, ok('n2')), null, 'with nobody yet');
  const away: NodeAnswer = { ok: false, id: 'n2', address: 'n2:7400', error: 'deadline', last: null };
  assert.equal(lagOf(n1, away), null);
  assert.equal(view([n1], { table: { ...table, topics: [] } }).ingest.lagRecords, null, 'no topic is known');
});

test('a node that does not answer is a row with its error and last known values', () => {
  const members = voters.map((id) => ({
    id,
    state: id === 'n3' ? ('suspect' as const) : ('alive' as const),
    sinceMs: 4_100,
  }));
  const last = report('n3', { atUnixMs: atUnixMs - 4_100, shards: [shard(0, { leases: 3 })] });
  const away: NodeAnswer = { ok: false, id: 'n3', address: 'n3:7400', error: 'deadline', last };
  const status = view([ok('n1', { members }), ok('n2'), away]);
  assert.equal(status.cluster.health, 'degraded');
  assert.deepEqual(
    status.cluster.reasons.map(({ code, node, text }) => [code, node, text]),
    [
      ['NODE_SUSPECT', 'n3', 'suspect for 4.1s (deadline); 7 keys wait for its session to end'],
      ['TOLERANCE_ZERO', null, 'no further failure is tolerated'],
    ],
  );
  const row = status.nodes[2]!;
  assert.equal(row.reachable, false);
  assert.equal(row.error, 'deadline');
  assert.deepEqual(row.leases, { count: 7, stale: true });
  assert.equal(row.lastSeen, '2025-12-31T23:59:55.900Z');
  assert.equal(row.recPerSec, null);
});

test('a node that is gone holds nothing and has nothing to back up, whatever it said last', () => {
  const last = report('n3', { shards: [shard(0, { leases: 3, oldestDirtyAgeMs: 40_000 })] });
  const gone: NodeAnswer = { ok: false, id: 'n3', address: 'n3:7400', error: 'refused', last };
  const sessions = table.sessions.filter(({ nodeId }) => nodeId !== 'n3');
  const status = view([ok('n1'), ok('n2'), gone], { table: { ...table, sessions } });
  assert.deepEqual([status.nodes[2]!.leases.count, status.nodes[2]!.backupAgeMs], [0, null]);
});

test('without a leader, or with a partition that nobody reads, the cluster is unhealthy', () => {
  const lost = { ...report('n1').raft, role: 'candidate' as const, leader: null };
  const gone = (id: string): NodeAnswer => ({ ok: false, id, address: `${id}:7400`, error: 'refused', last: null });
  const alone = view([ok('n1', { raft: lost }), gone('n2'), gone('n3')]);
  assert.equal(alone.cluster.health, 'unhealthy');
  assert.equal(alone.cluster.reasons[0]!.text, 'no leader: 1 of 3 voters answer, 2 are needed');
  const unread = view([ok('n1'), ok('n2'), ok('n3')], {
    table: { ...table, topics: [{ topic: 't', readers: [5, null, null] }] },
  });
  assert.equal(unread.cluster.health, 'unhealthy');
  assert.equal(unread.cluster.reasons[0]!.text, 'nobody reads t/1, t/2');
});

test('a leader out of reach leads on if the majority says so', () => {
  const away: NodeAnswer = { ok: false, id: 'n1', address: 'n1:7400', error: 'deadline', last: null };
  assert.equal(view([away, ok('n2'), ok('n3')], { via: 'n2' }).cluster.leader, 'n1');
  const elsewhere: NodeAnswer = { ok: false, id: 'n3', address: 'n3:7400', error: 'deadline', last: null };
  assert.equal(view([away, ok('n2'), elsewhere], { via: 'n2' }).cluster.leader, null);
});

test('backups that wait for three intervals are stale, failing while calls of the store fail', () => {
  const stale = [shard(0, { oldestDirtyAgeMs: 91_000 })];
  stale.push(shard(1, {}, { backupFailures: 2 }));
  assert.equal(view([ok('n1'), ok('n2', { shards: stale }), ok('n3')]).cluster.reasons[0]!.code, 'BACKUP_STALE');
  const failing = [shard(0, { oldestDirtyAgeMs: 91_000 }, { storeCallsFailing: 1 })];
  const status = view([ok('n1'), ok('n2', { shards: failing }), ok('n3')]);
  assert.equal(status.cluster.health, 'unhealthy');
  assert.equal(status.cluster.reasons[0]!.code, 'BACKUP_FAILING');
});

test('a store that is ahead of the log is told of each node that met it', () => {
  const stats = { storeAheadEntries: 70_000 };
  const status = view([ok('n1'), ok('n2', { shards: [shard(0), shard(1, {}, stats)] }), ok('n3')]);
  const [reason] = status.cluster.reasons;
  assert.deepEqual([status.cluster.health, reason!.code, reason!.node], ['unhealthy', 'STORE_AHEAD', 'n2']);
  assert.match(reason!.text, /70000 entries ahead/);
});

test('partitions that their node can not read are told of, unless its whole log is away', () => {
  const shards = [shard(0, {}, { partitionsStopped: 1 }), shard(1, {}, { partitionsStopped: 2 })];
  const { cluster } = view([ok('n1'), ok('n2', { shards }), ok('n3')]);
  const [reason] = cluster.reasons;
  assert.deepEqual([cluster.health, reason!.code, reason!.node], ['unhealthy', 'PARTITION_STOPPED', 'n2']);
  assert.match(reason!.text, /can't read 3 partitions/);
  const services = { log: { awayMs: 20_000, why: null }, store: { awayMs: null, why: null } };
  const away = view([ok('n1'), ok('n2', { shards, services }), ok('n3')]).cluster.reasons;
  assert.deepEqual(
    away.map(({ code }) => code),
    ['LOG_UNREACHABLE'],
  );
});

test('what the log does not take is told of: commits, letters and outputs, once a node, with how long, tries and error', () => {
  const held = {
    what: 'commits',
    topic: null,
    sinceMs: 20_000,
    tries: 9,
    error: 'GROUP_AUTHORIZATION_FAILED',
  } as const;
  const letters = { what: 'letters', topic: 'holdfast.dead-letters', sinceMs: 16_000, tries: 1, error: 'why' } as const;
  const outputs = { ...letters, what: 'outputs', topic: 'out', tries: 0, error: null } as const;
  const shards = [shard(0, { heldBack: [held] }), shard(1, { heldBack: [{ ...held, sinceMs: 47_000, tries: 31 }] })];
  const only = view([ok('n1'), ok('n2', { shards }), ok('n3')]).cluster;
  assert.equal(only.health, 'degraded');
  assert.equal(only.reasons.length, 1);
  assert.deepEqual([only.reasons[0]!.code, only.reasons[0]!.node], ['COMMIT_FAILING', 'n2']);
  assert.match(only.reasons[0]!.text, /offsets for 47s \(31 tries, the last: GROUP_AUTHORIZATION_FAILED\): /);
  const more = [...shards, shard(2, { heldBack: [letters, outputs] })];
  const { cluster } = view([ok('n1'), ok('n2', { shards: more }), ok('n3')]);
  assert.equal(cluster.health, 'unhealthy');
  assert.deepEqual(
    cluster.reasons.map(({ code }) => code),
    ['PUBLISH_FAILING', 'PUBLISH_FAILING', 'COMMIT_FAILING'],
  );
  assert.match(cluster.reasons[0]!.text, /dead letters to holdfast.dead-letters for 16s \(1 try, the last: why\): /);
  assert.match(cluster.reasons[1]!.text, /outputs to out for 16s \(no answer yet\): /);
  const services = { log: { awayMs: 20_000, why: null }, store: { awayMs: null, why: null } };
  const away = view([ok('n1'), ok('n2', { shards: more, services }), ok('n3')]).cluster.reasons;
  assert.deepEqual(
    away.map(({ code }) => code),
    ['LOG_UNREACHABLE'],
  );
});

test('a shard of an earlier version says nothing of what the log does not take', () => {
  const { heldBack: _, ...earlier } = shard(0);
  const status = view([ok('n1'), ok('n2', { shards: [earlier as ShardReport] }), ok('n3')]);
  assert.equal(status.cluster.health, 'ok');
});

test('a node that its log or store does not answer is not served by them, and the reason names which and why', () => {
  const answers = { awayMs: null, why: null };
  const services = { log: answers, store: { awayMs: 21_400, why: 'connect ECONNREFUSED 10.0.0.9:6379' } };
  const status = view([ok('n1'), ok('n2', { services }), ok('n3')]);
  assert.equal(status.cluster.health, 'unhealthy');
  const reasons = status.cluster.reasons.map(({ code, node, text }) => [code, node, text]);
  const text = 'has no answer from the store for 21s (connect ECONNREFUSED 10.0.0.9:6379)';
  assert.deepEqual(reasons, [['STORE_UNREACHABLE', 'n2', text]]);
  assert.deepEqual(status.nodes[1]!.services, services);
  const log = { log: { awayMs: 16_000, why: null }, store: answers };
  const [reason] = view([ok('n1', { services: log }), ok('n2'), ok('n3')]).cluster.reasons;
  assert.deepEqual([reason!.code, reason!.text], ['LOG_UNREACHABLE', 'has no answer from the log for 16s']);
});

test('what keeps the leader from its duties is a reason: a topic missing or made anew, a store that was given up', () => {
  const problem = (given: Partial<LeaderProblem>): LeaderProblem => {
    return { about: 'topic', topic: 'logins', code: 'TOPIC_MISSING', text: 'why', sinceMs: 10, ...given };
  };
  const store = { about: 'store', topic: null } as const;
  const problems = [
    problem({}),
    problem({ topic: 'b', code: 'TOPIC_CHANGED' }),
    problem({ topic: 'c', code: 'FAILED', sinceMs: 15_000 }),
    problem({ ...store, code: 'FORMER_GENERATION' }),
  ];
  const status = view([ok('n1', { problems }), ok('n2'), ok('n3')]);
  assert.equal(status.cluster.health, 'unhealthy');
  assert.deepEqual(status.problems, problems);
  const shown = status.cluster.reasons.map(({ code, text }) => `${code}: ${text}`);
  assert.equal(shown.length, 4);
  assert.match(
    shown[0]!,
    /^TOPIC_UNUSABLE: there is no topic logins: .*create it .on the embedded log: holdfast topic feed., or mend job\.input$/,
  );
  assert.match(shown[1]!, /^TOPIC_UNUSABLE: topic b was deleted and made anew: .*holdfast topic replace b$/);
  assert.equal(shown[2], "TOPIC_UNUSABLE: topic c can't be used: why");
  assert.match(shown[3]!, /^STORE_REFUSED: the store that answers was given up .*empty it/);
});

test('a call of the leader that failed just now is no reason, nor one to a service that has a reason already', () => {
  const failed = { about: 'store', topic: null, code: 'FAILED', text: 'why' } as const;
  const health = (sinceMs: number, awayMs: number | null) => {
    const answers = { awayMs: null, why: null };
    const services = { log: answers, store: { awayMs, why: null } };
    const n1 = ok('n1', { problems: [{ ...failed, sinceMs }], services });
    return view([n1, ok('n2'), ok('n3')]).cluster.reasons.map(({ code }) => code);
  };
  assert.deepEqual(health(14_000, null), []);
  assert.deepEqual(health(16_000, 16_000), ['STORE_UNREACHABLE']);
  assert.deepEqual(health(16_000, null), ['STORE_REFUSED']);
});

test('of a leader that does not answer, and of a node of an earlier version, no problems are known', () => {
  const away: NodeAnswer = { ok: false, id: 'n1', address: 'n1:7400', error: 'deadline', last: null };
  assert.equal(view([away, ok('n2'), ok('n3')], { via: 'n2' }).problems, null);
  const { problems: _, ...earlier } = report('n1');
  const status = view([{ ok: true, report: earlier as NodeReport }, ok('n2'), ok('n3')]);
  assert.deepEqual([status.problems, status.cluster.health], [null, 'ok']);
});

test('one voter alone is well, with a note', () => {
  const raft = { ...report('n1').raft, voters: ['n1'] };
  const status = view([ok('n1', { raft })]);
  assert.equal(status.cluster.health, 'ok');
  assert.equal(status.cluster.reasons[0]!.severity, 'note');
});

test('a rate needs two samples and starts anew when the counter did', () => {
  const meter = new RateMeter(2_000);
  assert.equal(meter.perSec, null);
  meter.sample(0, 100);
  meter.sample(1_000, 300);
  assert.equal(meter.perSec, 200);
  meter.sample(2_000, 10);
  assert.equal(meter.perSec, null);
});
