import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ControlPlane, type PeerTransport, shardStatNames } from '@holdfast/engine';
import { encodeUtf8 } from '@holdfast/model';
import type { NodeConfig } from '../config/node-config.ts';
import type { NodeReport } from '../status/node-report.ts';
import type { StatusDocument } from '../status/status-document.ts';
import { ClusterStatus } from './cluster-status.ts';
import type { NodeReporter } from './node-reporter.ts';

const voters = ['n1', 'n2'];
const away = { awayMs: null, why: null };

/** Of a leader, so that nothing in it is passed over. */
function reportOf(id: string): NodeReport {
  return {
    id,
    address: `${id}:7400`,
    version: '0.1.0',
    atUnixMs: 5,
    raft: {
      role: id === 'n2' ? 'leader' : 'follower',
      term: 1,
      leader: 'n2',
      voters,
      commitIndex: 1,
      appliedIndex: 1,
      trails: 0,
      leaderSinceMs: 1,
    },
    session: { id: 5, endsInMs: 9 },
    balancing: { active: true, left: 1, pause: 'why' },
    problems: [{ about: 'topic', topic: 'in', code: 'TOPIC_MISSING', text: 'why', sinceMs: 1 }],
    quarantined: 0,
    services: { log: away, store: away },
    shards: [
      {
        index: 0,
        address: `${id}:7500`,
        leases: 1,
        partitions: ['in/0'],
        stats: Object.fromEntries(shardStatNames.map((name) => [name, 0])) as NodeReport['shards'][number]['stats'],
        oldestDirtyAgeMs: 1,
        hot: [{ unit: '0'.repeat(16), user: 'alice', recPerSec: 1, share: 0.5 }],
        heldBack: [{ what: 'commits', topic: null, sinceMs: 20_000, tries: 1, error: 'why' }],
        readPerSec: 1,
        appliedPerSec: 1,
        forwardedPerSec: 1,
      },
    ],
    process: { cpuPercent: 1, rssBytes: 1, loopP99Ms: 1, upMs: 1 },
    members: [{ id, state: 'alive', sinceMs: 1 }],
  };
}

/** The status at n1 while n2 answers with this. */
function statusWith(answer: () => Uint8Array): Promise<StatusDocument> {
  const control = {
    barrier: async () => 1,
    status: () => ({ raft: { voters, votersOutgoing: [], learners: [] }, table: { sessions: [] } }),
  };
  const reporter = {
    report: () => reportOf('n1'),
    members: () => [],
    tableFacts: () => ({ index: 1, sessions: [], quarantined: [], topics: [{ topic: 'in', readers: [5] }] }),
  };
  const transport = { call: async () => answer() };
  const config = { peers: [], clusterName: 'c', backupIntervalMs: 30_000 };
  const status = new ClusterStatus(
    config as unknown as NodeConfig,
    control as unknown as ControlPlane,
    transport as unknown as PeerTransport,
    reporter as unknown as NodeReporter,
    'c',
  );
  return status.document();
}

const answering = (report: unknown) => statusWith(() => encodeUtf8(JSON.stringify(report)));
const rowOf = ({ nodes }: StatusDocument) => nodes.find(({ id }) => id === 'n2')!;
const codesOf = ({ cluster }: StatusDocument) => cluster.reasons.map(({ code }) => code);

/** Every value within, by its way. */
function ways(value: unknown, way: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([name, inner]) => ways(inner, [...way, name]))];
}

/** The same with another value there; undefined: without it. */
function withValue(value: unknown, way: readonly string[], other: unknown): unknown {
  if (way.length === 0) return other;
  const copy = structuredClone(value) as Record<string, unknown>;
  const last = way.at(-1)!;
  const holder = way.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, copy);
  if (other === undefined && !Array.isArray(holder)) delete holder[last];
  else holder[last] = other ?? null;
  return copy;
}

test('a report that makes no sense is a node that does not answer, with why', async () => {
  const whole = reportOf('n2');
  assert.equal(rowOf(await answering(whole)).reachable, true);
  for (const [report, why] of [
    [null, /^its report makes no sense: Invalid input/],
    [{}, /^its report makes no sense: id: /],
    [{ ...whole, services: undefined }, /^its report makes no sense: services: /],
    [{ ...whole, shards: null }, /^its report makes no sense: shards: /],
    [{ ...whole, atUnixMs: 1e300 }, /^its report makes no sense: atUnixMs: /],
    [{ ...whole, id: 'n3' }, /^its report is of another node: n3$/],
  ] as const) {
    const status = await answering(report);
    const { reachable, error } = rowOf(status);
    assert.equal(reachable, false, JSON.stringify(report));
    assert.match(error!, why);
    assert.ok(codesOf(status).includes('NODE_UNREACHABLE'));
  }
  assert.equal(rowOf(await statusWith(() => Uint8Array.of(0xff))).reachable, false);
});

test('whatever there is or is not in a report, there is a status, and each of its figures is one', async () => {
  const whole = reportOf('n2');
  for (const way of ways(whole)) {
    for (const other of [undefined, null, {}, [], [null], 'text', -1.5, Number.MAX_VALUE]) {
      const status = await answering(withValue(whole, way, other));
      const where = `${way.join('.')}: ${JSON.stringify(other)}`;
      for (const inner of ways(status)) {
        const value = inner.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], status);
        assert.ok(value !== undefined && value !== 'NaN' && !Number.isNaN(value), `${where}: ${inner.join('.')}`);
      }
    }
  }
});

test('what an earlier version does not say, and what a later one says more, is no harm', async () => {
  const { problems: _, shards, ...earlier } = reportOf('n2');
  const { heldBack: __, stats: ___, ...shard } = shards[0]!;
  const status = await answering({ ...earlier, shards: [{ ...shard, stats: { recordsRead: 7, more: 1 } }], more: {} });
  assert.equal(rowOf(status).reachable, true);
  assert.equal(status.totals.read, '7');
  assert.ok(!codesOf(status).includes('STORE_AHEAD'));
});
