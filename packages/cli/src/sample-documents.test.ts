import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusDocument, StatusNode, UserDocument } from '@holdfast/node';
import { documentSchemas, outputSchemas } from './output-schemas.ts';

/** Documents that the tests of rendering share: the situation of the manual's example. */

function node(id: string, given: Partial<StatusNode> = {}): StatusNode {
  return {
    id,
    addr: `10.0.0.1${id.slice(1)}:7400`,
    reachable: true,
    error: null,
    member: 'alive',
    memberSinceMs: 60_000,
    draining: false,
    version: '0.4.1',
    upMs: 273_600_000,
    raft: { role: 'follower', term: '14', trails: '0' },
    session: { id: '77', endsInMs: null },
    leases: { count: 41_870, stale: false },
    recPerSec: 16_100,
    fwdPerSec: 3_900,
    queue: 12,
    loopP99Ms: 6.1,
    cpuPercent: 212,
    rssBytes: '641728512',
    backupAgeMs: 4_000,
    lastSeen: '2026-01-01T00:00:00.000Z',
    services: { log: { awayMs: null, why: null }, store: { awayMs: null, why: null } },
    shards: [],
    ...given,
  };
}

export const sampleStatus: StatusDocument = {
  schema: 'holdfast/status/v1',
  at: '2026-01-01T00:00:00.000Z',
  via: 'n2',
  consistency: 'leader',
  cluster: {
    id: '9c1e07aa-0000-4000-8000-000000000000',
    name: 'prod',
    health: 'degraded',
    leader: 'n2',
    term: '14',
    leaderSinceMs: 11_520_000,
    failureTolerance: 0,
    quorum: { voters: 3, reachable: 2 },
    quarantined: 0,
    reasons: [
      {
        code: 'NODE_SUSPECT',
        severity: 'degraded',
        node: 'n3',
        text: 'suspect for 4.1s (deadline); 41655 keys wait for its session to end',
      },
      { code: 'TOLERANCE_ZERO', severity: 'degraded', node: null, text: 'no further failure is tolerated' },
    ],
  },
  ingest: { recordsPerSec: 32_500, lagRecords: '1204', lagSeconds: 0.8, lagAgeMs: 640 },
  balancing: { active: true, left: 1_200, pause: 'NODE_UNREACHABLE' },
  problems: [],
  backup: { oldestAgeMs: 19_000, intervalMs: 30_000 },
  totals: {
    read: '1',
    applied: '1',
    forwarded: '0',
    refused: '0',
    replayed: '0',
    duplicates: '0',
    skipped: '0',
    dead: '0',
    outputs: '0',
    fenced: '0',
  },
  nodes: [
    node('n1', {
      shards: [
        {
          index: 0,
          address: '10.0.0.11:41001',
          leases: 41_870,
          dirty: 210,
          partitions: ['access-log/0', 'access-log/3'],
          recPerSec: 16_100,
          fwdPerSec: 3_900,
          queue: 12,
          lagRecords: '1204',
          backupAgeMs: 4_000,
          moved: '120',
          handOverLeft: 0,
          movePause: { count: '40', p50Ms: 6.1, p99Ms: 20.4 },
          hot: [{ unit: '00112233445566ff', user: 'alice', recPerSec: 1_200, share: 0.08 }],
        },
      ],
    }),
    node('n2', { raft: { role: 'leader', term: '14', trails: null }, leases: { count: 41_902, stale: false } }),
    node('n3', {
      reachable: false,
      error: 'no ack',
      member: 'suspect',
      raft: { role: null, term: null, trails: null },
      session: { id: '79', endsInMs: null },
      leases: { count: 41_655, stale: true },
      recPerSec: null,
      fwdPerSec: null,
      queue: null,
      loopP99Ms: null,
      cpuPercent: null,
      rssBytes: null,
      backupAgeMs: 19_000,
      upMs: null,
    }),
  ],
};

export const sampleUser: UserDocument = {
  schema: 'holdfast/user/v1',
  at: '2026-01-01T00:00:00.000Z',
  user: 'alice',
  unit: '00112233445566ff',
  via: 'n2',
  consistency: 'leader',
  index: '918204',
  holder: { node: 'n3', shard: 1, addr: '10.0.0.13:7400', reachable: false, error: 'deadline' },
  history: [
    { how: 'granted', node: 'n1', shard: 2, index: '884101', at: '2026-01-01T10:00:00.000Z' },
    { how: 'moved', node: 'n3', shard: 1, index: '912377', at: null },
  ],
  leaseEpoch: '912377',
  quarantined: false,
  source: 'backup',
  stale: true,
  job: 'access-anomaly',
  state: {
    user: 'alice',
    events: 18_220,
    successes: 18_000,
    failures: 200,
    locations: [{ city: 'Oslo', country: 'NO', count: 18_220, successes: 18_000, lastSeen: null }],
    recentCities: ['Oslo', 'Bergen'],
    recentNetworks: [],
    anomalies: { total: 0, last: [] },
  },
  stateError: null,
  backup: { ageMs: 19_000, dirty: false },
  recPerSec: null,
  applied: { '0f3c9a1e-77/5': '88120377' },
};

test('the samples are what the schemas say, and every schema can be printed', () => {
  for (const document of [sampleStatus, sampleUser]) documentSchemas.get(document.schema)!.parse(document);
  for (const [name, schema] of outputSchemas) assert.equal((schema() as { type?: string }).type, 'object', name);
});
