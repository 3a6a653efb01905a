import type { ShardStatName } from '@holdfast/engine';
import { memberStates } from '@holdfast/membership';
import type { MetricSample, MetricSpec } from '@holdfast/telemetry';
import { heldBackKinds } from '../status/held-back-reasons.ts';
import { leaderReasonCodes, leaderReasons } from '../status/leader-reasons.ts';
import type { NodeReport, ShardReport } from '../status/node-report.ts';

export interface MetricsSource {
  readonly version: string;
  readonly job: string;
  readonly backupEveryMs: number;
  /** Leaders that this node has seen since it started. */
  leaderChanges(): number;
  report(): NodeReport;
}

/** A scrape reads the report many times, within one turn of the loop: it is made once. */
function oncePerTurn<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    if (made === null) {
      made = { value: make() };
      setImmediate(() => {
        made = null;
      });
    }
    return made.value;
  };
}

/** What a node tells Prometheus, all of it from its report: the same numbers as `holdfast status` shows. */
export function nodeMetrics(source: MetricsSource): MetricSpec[] {
  const report = oncePerTurn(() => source.report());
  const one = (value: number): MetricSample[] => [{ value }];
  const gauge = (name: string, help: string, read: () => MetricSample[], labels: string[] = []): MetricSpec => {
    return { name, help, kind: 'gauge', labels, read };
  };
  const perShard = (value: (shard: ShardReport) => number) => (): MetricSample[] => {
    return report().shards.map((shard) => ({ labels: { shard: String(shard.index) }, value: value(shard) }));
  };
  const sum = (name: ShardStatName): number => report().shards.reduce((total, { stats }) => total + stats[name], 0);
  const counter = (name: string, help: string, stat: ShardStatName): MetricSpec => {
    return { name, help, kind: 'counter', read: () => one(sum(stat)) };
  };
  const { job } = source;
  return [
    gauge(
      'build_info',
      'always 1; what runs is in the labels',
      () => [{ labels: { version: source.version, node_version: process.version }, value: 1 }],
      ['version', 'node_version'],
    ),
    gauge('eventloop_lag_p99_seconds', 'delay of the control thread', () => {
      const { loopP99Ms } = report().process;
      return loopP99Ms === null ? [] : one(loopP99Ms / 1000);
    }),
    gauge(
      'members',
      'nodes as gossip sees them',
      () => {
        const { members } = report();
        return memberStates.map((state) => {
          return { labels: { state }, value: members.filter((member) => member.state === state).length };
        });
      },
      ['state'],
    ),
    gauge('raft_has_leader', '1 when a leader is known', () => one(report().raft.leader === null ? 0 : 1)),
    gauge('raft_term', 'term of the Raft group', () => one(report().raft.term)),
    gauge('raft_voters', 'members that vote', () => one(report().raft.voters.length)),
    gauge('raft_applied_index', 'last entry applied here', () => one(report().raft.appliedIndex)),
    {
      name: 'raft_leader_changes_total',
      help: 'leaders seen since the start',
      kind: 'counter',
      read: () => one(source.leaderChanges()),
    },
    gauge(
      'service_reachable',
      '1 while log or store answers this node',
      () => {
        const { services } = report();
        return (['log', 'store'] as const).map((service) => {
          return { labels: { service }, value: services[service].awayMs === null ? 1 : 0 };
        });
      },
      ['service'],
    ),
    gauge(
      'leader_problems',
      'what keeps the leader from its duties, at the leader, by reason of the status',
      () => {
        const { problems, services } = report();
        const reasons = leaderReasons(problems ?? [], services);
        return leaderReasonCodes.map((code) => {
          return { labels: { reason: code }, value: reasons.filter((reason) => reason.code === code).length };
        });
      },
      ['reason'],
    ),
    gauge('session', '1 while this node may hold leases', () => one(report().session === null ? 0 : 1)),
    gauge(
      'leases_held',
      'units leased to a shard',
      perShard(({ leases }) => leases),
      ['shard'],
    ),
    gauge(
      'partitions_read',
      'partitions leased to a shard',
      perShard(({ partitions }) => partitions.length),
      ['shard'],
    ),
    gauge(
      'partitions_stopped',
      'of these, partitions of which nothing could be read for 15 s',
      perShard(({ stats }) => stats.partitionsStopped),
      ['shard'],
    ),
    gauge(
      'held_back_seconds',
      'for how long the log has not taken what offsets wait for, from 15 s on; 0: it takes it',
      () =>
        heldBackKinds.map((what) => {
          const held = report().shards.flatMap(({ heldBack }) => heldBack.filter((each) => each.what === what));
          return { labels: { what }, value: Math.max(0, ...held.map(({ sinceMs }) => sinceMs)) / 1000 };
        }),
      ['what'],
    ),
    {
      name: 'fenced_writes_total',
      help: 'backups and commits refused because the lease was over',
      kind: 'counter',
      read: () => one(sum('backupsFenced') + sum('commitsFenced')),
    },
    {
      name: 'records_total',
      help: 'records that reached their holder',
      kind: 'counter',
      labels: ['job', 'result'],
      read: () => [
        { labels: { job, result: 'ok' }, value: sum('recordsApplied') },
        { labels: { job, result: 'duplicate' }, value: sum('recordsDuplicate') },
      ],
    },
    gauge(
      'store_ahead_entries',
      'entries of the log by which the store is ahead of what this cluster can have given; above 0: STORE_AHEAD',
      perShard(({ stats }) => stats.storeAheadEntries),
      ['shard'],
    ),
    counter('records_read_total', 'records read from the log', 'recordsRead'),
    counter(
      'records_skipped_total',
      'records that are none of a user: empty, filtered, without a user',
      'recordsSkipped',
    ),
    counter('records_forwarded_total', 'records sent to other shards', 'recordsForwarded'),
    counter('records_refused_total', 'records that a holder sent back', 'recordsRefused'),
    counter('records_replayed_total', 'records read again after going back', 'recordsReplayed'),
    counter('dead_letters_total', 'records put on the dead-letter topic', 'recordsDead'),
    counter('records_quarantined_total', 'of these, records of users in quarantine', 'recordsQuarantined'),
    counter('faulty_units_total', 'units whose state could not be backed up or read', 'unitsFaulty'),
    gauge('quarantined_users', 'users in quarantine, as the lease table shows', () => one(report().quarantined)),
    counter('outputs_total', 'records emitted by the job', 'outputsEmitted'),
    counter(
      'outputs_too_large_total',
      'of these, dead letters since their topic takes none so large',
      'outputsTooLarge',
    ),
    counter('backups_total', 'rows accepted by the store', 'backupsAccepted'),
    counter('backup_bytes_total', 'bytes of the rows accepted by the store', 'backupBytes'),
    counter('backup_failures_total', 'writes that the store failed', 'backupFailures'),
    gauge('backup_age_seconds', 'age of the oldest change without a backup', () => {
      return one(Math.max(0, ...report().shards.map(({ oldestDirtyAgeMs }) => oldestDirtyAgeMs ?? 0)) / 1000);
    }),
    gauge('backup_interval_seconds', 'how often changes are backed up', () => one(source.backupEveryMs / 1000)),
    gauge(
      'queue_depth',
      'records parked for want of a holder, frames under way',
      () => [
        { labels: { stage: 'parked_records' }, value: sum('parkedRecords') },
        { labels: { stage: 'frames' }, value: sum('framesInFlight') },
      ],
      ['stage'],
    ),
    gauge('lag_records', 'records of the partitions read here that are not routed yet', () => one(sum('lagRecords'))),
    gauge('lag_unknown_partitions', 'partitions read here whose lag is not known, and not counted', () => {
      return one(Math.max(sum('partitionsRead') - sum('partitionsMeasured'), 0));
    }),
    gauge('lag_seconds', 'how long the oldest of them has waited, at most', () => {
      return one(Math.max(0, ...report().shards.map(({ stats }) => stats.lagMs)) / 1000);
    }),
  ];
}
