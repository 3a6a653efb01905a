import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLeaseOptions } from '@holdfast/lease';
import { nodeId } from '@holdfast/model';
import { decodeJson, encodeJson } from './calls.ts';
import { holds, nobodyFailed, unitsOf } from './cluster-steps.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const { sessionTtlMs, renewEveryMs, holderStopMs, leaderWaitFactor } = defaultLeaseOptions;
/** From the first entry that a node lacks: the last renewal that counts, and what follows its loss. */
const stopsWithinMs = sessionTtlMs + renewEveryMs + holderStopMs + 500;
const expiresWithinMs = sessionTtlMs + renewEveryMs + sessionTtlMs * leaderWaitFactor + 500;

async function founded(): Promise<{ cluster: VirtualCluster; victim: VirtualNode; others: VirtualNode[] }> {
  const cluster = new VirtualCluster();
  cluster.topics.create('in', 6);
  await cluster.startAll();
  const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
  return { cluster, victim, others: cluster.nodes.filter((node) => node !== victim) };
}

let nextUnit = 1;

/** Entries all the time, of one of the others, until the condition holds. @returns how long that took */
async function goOnUntil(
  { cluster, others }: { cluster: VirtualCluster; others: readonly VirtualNode[] },
  what: string,
  condition: () => boolean,
  limitMs: number,
): Promise<number> {
  const beganAtMs = cluster.time.monotonicMs();
  while (!condition()) {
    assert.ok(cluster.time.monotonicMs() - beganAtMs <= limitMs, `${what}: not within ${limitMs} ms`);
    others[0]!.shards[0]!.say({ kind: 'acquire', units: unitsOf(1, nextUnit++) });
    await cluster.time.run(100);
  }
  return cluster.time.monotonicMs() - beganAtMs;
}

async function goOn(run: Parameters<typeof goOnUntil>[0], durationMs: number): Promise<void> {
  const endMs = run.cluster.time.monotonicMs() + durationMs;
  await goOnUntil(run, 'time', () => run.cluster.time.monotonicMs() >= endMs, durationMs);
}

const sessionsAt = ({ control }: VirtualNode): string[] => control.liveSessions().map((info) => info.nodeId);

test('a node that the log does not reach loses its session, though its renewals are answered; the others go on', async () => {
  const run = await founded();
  const { cluster, victim, others } = run;
  const sessions = others.map(({ control }) => control.session);
  cluster.network.logless.add(victim.id);
  const stoppedMs = await goOnUntil(run, 'it stops', () => victim.lost.length > 0, stopsWithinMs);
  assert.ok(stoppedMs > sessionTtlMs, `a table may be behind for a while, and was for ${stoppedMs} ms`);
  assert.match(victim.lost[0]!, /log does not reach/);
  await goOnUntil(run, 'it ends', () => sessionsAt(others[0]!).length === 2, expiresWithinMs - stoppedMs);
  const units = unitsOf(20, 1_000_000);
  others[1]!.shards[0]!.say({ kind: 'acquire', units });
  await cluster.until('granted', () => holds(others[0]!, units), 100);
  const readers = () => others[0]!.control.status().table.partitions.map(({ reader }) => reader?.nodeId);
  await cluster.until('read by the others', () => readers().every((id) => id !== undefined && id !== victim.id), 500);
  assert.deepEqual(
    others.map(({ control }) => control.session),
    sessions,
  );

  // With new shards it asks for another one, and isn't given it before the log reaches it.
  victim.shards = cluster.shards(victim.id, cluster.nextCounter(victim.id));
  victim.control.restartSession(2, victim.shards);
  await goOn(run, 20_000);
  assert.deepEqual(sessionsAt(others[0]!).sort(), others.map(({ id }) => id).sort());
  cluster.network.logless.clear();
  await goOnUntil(run, 'a session', () => victim.control.session !== null, 5_000);
  await goOn(run, 40_000);
  assert.equal(victim.lost.length, 1);
});

test('where nothing is committed nobody is behind', async () => {
  const { cluster, victim } = await founded();
  await cluster.time.run(20_000);
  const { session } = victim.control;
  cluster.network.logless.add(victim.id);
  await cluster.time.run(60_000);
  assert.equal(victim.control.session, session);
  nobodyFailed(cluster);
});

test('a node stops by itself when the leader does not know how far it is', async () => {
  const run = await founded();
  const { cluster, victim } = run;
  cluster.network.rewrite = (method, what, bytes) => {
    if (method !== 'session.renew' || what === 'answer') return bytes;
    const { session } = decodeJson<{ session: number }>(bytes);
    return encodeJson({ session });
  };
  cluster.network.logless.add(victim.id);
  await goOnUntil(run, 'it stops', () => victim.lost.length > 0, stopsWithinMs);
  assert.match(victim.lost[0]!, /log does not reach/);
});

test('a leader ends the session of a node that is not told how far it should be', async () => {
  const run = await founded();
  const { cluster, victim, others } = run;
  cluster.network.rewrite = (method, what, bytes) => {
    if (method !== 'session.renew' || what === 'request') return bytes;
    const { index: _, ...rest } = decodeJson<{ code: string; index?: number }>(bytes);
    return encodeJson(rest);
  };
  cluster.network.logless.add(victim.id);
  await goOnUntil(run, 'it ends', () => sessionsAt(others[0]!).length === 2, expiresWithinMs);
  assert.match(victim.lost[0]!, /log does not reach/);
});

test('neither side of before says how far it is, and nothing is lost by that', async () => {
  const run = await founded();
  const { cluster, victim } = run;
  cluster.network.rewrite = (method, _, bytes) => {
    if (method !== 'session.renew') return bytes;
    const { tableIndex: __, index: ___, ...rest } = decodeJson<{ tableIndex?: number; index?: number }>(bytes);
    return encodeJson(rest);
  };
  await goOn(run, 40_000);
  assert.deepEqual(victim.lost, []);
  nobodyFailed(cluster);
});

test('a node that has joined is given a session when it has the log, not before', async () => {
  const run = await founded();
  const { cluster, others } = run;
  const n4 = nodeId('n4');
  cluster.network.logless.add(n4);
  const { control } = await cluster.start(n4, { voters: cluster.ids });
  const all = new Map([...cluster.ids, n4].map((id) => [id, `memory:${id}`]));
  for (const node of cluster.nodes) node.control.setPeers(all);
  const isMember = (): boolean => others[0]!.control.status().raft.learners.includes(n4);
  await cluster.until('a member', isMember);
  const unclean = others[0]!.control.table.uncleanCount;
  await goOn(run, 30_000);
  assert.ok(!sessionsAt(others[0]!).includes(n4));
  cluster.network.logless.clear();
  await cluster.until('a session', () => control.session !== null, 3_000);
  assert.ok(control.table.tableIndex >= control.session!);
  assert.equal(others[0]!.control.table.uncleanCount, unclean);
});

test('a node that was away for long is given a session when it has the log, not before', async () => {
  const cluster = new VirtualCluster({ compaction: { entriesMax: 50, trailingEntries: 10 } });
  await cluster.startAll();
  const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
  const others = cluster.nodes.filter((node) => node !== victim);
  await cluster.kill(victim);
  await goOn({ cluster, others }, 20_000);
  cluster.network.logless.add(victim.id);
  const { control } = await cluster.start(victim.id);
  await goOn({ cluster, others }, 30_000);
  assert.ok(!sessionsAt(others[0]!).includes(victim.id));
  cluster.network.logless.clear();
  await goOnUntil({ cluster, others }, 'a session', () => control.session !== null, 3_000);
});

test('a member that gossip takes for dead is sent the log all the same', async () => {
  const run = await founded();
  const { cluster, victim, others } = run;
  const { session } = victim.control;
  for (const { control } of others) {
    control.setPeers(new Map(others.map(({ id }) => [id, `memory:${id}`])));
  }
  await goOn(run, 60_000);
  assert.equal(victim.control.session, session);
  assert.equal(victim.control.table.tableIndex, others[0]!.control.table.tableIndex);
  // Also where its session is over, and nobody has heard of another one.
  await cluster.kill(victim);
  await goOnUntil(run, 'it ends', () => sessionsAt(others[0]!).length === 2, 15_000);
  const { control } = await cluster.start(victim.id);
  await goOnUntil(run, 'a session', () => control.session !== null, 5_000);
});

test('a session that a node sees late is held on fresh proof only', async () => {
  const run = await founded();
  const { cluster, victim } = run;
  await cluster.kill(victim);
  await goOn(run, 3_000);
  // From when it asks on: the answer comes, the entry doesn't.
  let isAsked = false;
  cluster.network.rewrite = (method, what, bytes) => {
    const peer = cluster.leader?.control.status().raft.peers.find(({ id }) => id === victim.id);
    const willOpen = peer?.state === 'replicate' && peer.active;
    if (method === 'session.open' && what === 'request' && willOpen && !isAsked) {
      isAsked = true;
      cluster.network.logless.add(victim.id);
    }
    return bytes;
  };
  const { control, lost } = await cluster.start(victim.id);
  await cluster.until('asked', () => isAsked, 3_000);
  await cluster.time.run(holderStopMs + 500);
  assert.equal(control.session, null);
  cluster.network.logless.clear();
  await cluster.until('a session', () => control.session !== null, 3_000);
  assert.ok(cluster.time.monotonicMs() - control.renewedAtMs! < holderStopMs);
  await goOn(run, 5_000);
  assert.deepEqual(lost, []);
});
