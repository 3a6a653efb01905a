import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shardStatNames } from '@holdfast/engine';
import type { NodeReport } from '../status/node-report.ts';
import { nodeMetrics } from './node-metrics.ts';

test('metrics are the numbers of the report, which is made once a scrape', async () => {
  let made = 0;
  const stats = Object.fromEntries(shardStatNames.map((name, i) => [name, i]));
  const shard = {
    address: null,
    leases: 7,
    partitions: ['t/0'],
    stats,
    readPerSec: 1,
    appliedPerSec: 1,
    forwardedPerSec: 1,
    heldBack: [],
  };
  const report = {
    raft: { term: 3, leader: 'n2', voters: ['n1', 'n2', 'n3'], appliedIndex: 40 },
    session: null,
    quarantined: 1,
    problems: [{ about: 'log', topic: 't', code: 'TOPIC_MISSING', text: 'no such topic', sinceMs: 5 }],
    services: { log: { awayMs: null, why: null }, store: { awayMs: 20_000, why: 'refused' } },
    shards: [
      { ...shard, index: 0, oldestDirtyAgeMs: 1_500 },
      { ...shard, index: 1, oldestDirtyAgeMs: null, heldBack: [{ what: 'letters', topic: 'd', sinceMs: 17_000 }] },
    ],
    process: { loopP99Ms: 12 },
    members: [{ id: 'n1', state: 'alive', sinceMs: 0 }],
  } as unknown as NodeReport;
  const specs = nodeMetrics({
    version: '1',
    job: 'j',
    backupEveryMs: 30_000,
    leaderChanges: () => 2,
    report: () => {
      made++;
      return report;
    },
  });
  const read = new Map(specs.map((spec) => [spec.name, spec.read()]));
  assert.equal(made, 1);
  assert.equal(read.size, specs.length, 'no name twice');
  for (const spec of specs) {
    assert.equal(spec.name.endsWith('_total'), spec.kind === 'counter', spec.name);
    for (const { labels = {}, value } of read.get(spec.name)!) {
      assert.ok(Number.isFinite(value), spec.name);
      assert.deepEqual(Object.keys(labels), spec.labels ?? []);
    }
  }
  assert.deepEqual(read.get('backup_age_seconds'), [{ value: 1.5 }]);
  assert.deepEqual(
    read.get('leases_held'),
    [0, 1].map((i) => ({ labels: { shard: `${i}` }, value: 7 })),
  );
  assert.deepEqual(read.get('session'), [{ value: 0 }]);
  assert.deepEqual(read.get('service_reachable'), [
    { labels: { service: 'log' }, value: 1 },
    { labels: { service: 'store' }, value: 0 },
  ]);
  assert.deepEqual(
    read.get('held_back_seconds')!.map(({ labels, value }) => [labels?.what, value]),
    [
      ['commits', 0],
      ['outputs', 0],
      ['letters', 17],
    ],
  );
  assert.deepEqual(read.get('leader_problems'), [
    { labels: { reason: 'TOPIC_UNUSABLE' }, value: 1 },
    { labels: { reason: 'STORE_REFUSED' }, value: 0 },
  ]);
  const applied = 2 * shardStatNames.indexOf('recordsApplied');
  assert.equal(read.get('records_total')![0]!.value, applied);
  await new Promise(setImmediate);
  specs[0]!.read();
  specs.find(({ name }) => name === 'raft_term')!.read();
  assert.equal(made, 2);
});
