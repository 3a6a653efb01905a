import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseTableReader } from '@holdfast/lease';
import { hashUnit, type Logger, silentLogger, topicId, unitHashOut } from '@holdfast/model';
import { acquire, holds, nobodyFailed, unitsOf } from './cluster-steps.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const problemsOf = (node: VirtualNode) => node.control.status().problems!.map(({ topic, code }) => [topic, code]);

test('a cluster is founded, sessions open, shards are told', async () => {
  const cluster = new VirtualCluster();
  cluster.storeLife.highest = 5_000;
  const [node] = await cluster.startAll();
  await cluster.time.run(100);
  for (const { control, shards } of cluster.nodes) {
    assert.equal(control.table.epochBase, 5_000);
    assert.equal(control.table.generation, 1);
    assert.equal(control.table.storeGeneration, 'generation-a');
    for (const shard of shards) {
      const kinds = shard.received.map(({ kind }) => kind);
      assert.ok(kinds.indexOf('table') >= 0 && kinds.indexOf('table') < kinds.indexOf('session'));
      assert.ok(kinds.indexOf('directory') < kinds.indexOf('session'));
      assert.equal(shard.last('session')?.session, control.session);
      assert.equal(shard.last('directory')?.sessions.length, 3);
      assert.deepEqual(shard.last('generation')?.number, 1);
    }
  }
  assert.deepEqual(node!.control.liveSessions().find(({ nodeId }) => nodeId === 'n1')?.shardAddresses, [
    'n1:1:0',
    'n1:1:1',
  ]);
  nobodyFailed(cluster);
});

test('a cluster that is founded over a log begins its epochs above the fences of its commits', async () => {
  const cluster = new VirtualCluster();
  cluster.storeLife.highest = 5_000;
  cluster.topics.highestFence = 7_000;
  await cluster.startAll();
  await cluster.time.run(100);
  for (const { control } of cluster.nodes) assert.equal(control.table.epochBase, 7_000);
  nobodyFailed(cluster);
});

test('units are granted in a few milliseconds, seen in every table, and released', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = cluster.nodes.find(({ control }) => !control.isLeader)!;
  const units = unitsOf(1_200);
  const shard = node.shards[1]!;
  const beforeMs = cluster.time.monotonicMs();
  shard.say({ kind: 'acquire', units });
  await cluster.until('granted', () => holds(node, units), 50);
  assert.ok(cluster.time.monotonicMs() - beforeMs < 12, `took ${cluster.time.monotonicMs() - beforeMs} ms`);
  await cluster.until('seen everywhere', () => cluster.nodes.every((other) => holds(other, units)), 20);
  assert.ok(shard.received.some(({ kind }) => kind === 'advanced'));

  const reader = new LeaseTableReader(shard.last('table')!.buffer);
  const quadruples: number[] = [];
  for (let i = 0; i < units.length; i += 2) {
    assert.ok(reader.lookup(units[i]!, units[i + 1]!));
    const info = node.control.unitInfo(units[i]!, units[i + 1]!)!;
    assert.equal(info.epoch, reader.epoch);
    if (info.session === node.control.session && info.shard === 1) {
      quadruples.push(units[i]!, units[i + 1]!, Math.floor(info.epoch / 2 ** 32), info.epoch >>> 0);
    }
  }
  assert.ok(quadruples.length > 0, 'the asker got its share');
  const before = node.control.table.unitCount;
  shard.say({ kind: 'release', units: Uint32Array.from(quadruples) });
  await cluster.until('released', () => node.control.table.unitCount === before - quadruples.length / 4, 50);
  assert.equal(node.control.table.uncleanCount, 0);
});

test('the leader dies: a new one within three seconds, and no session of the others is lost', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  await acquire(cluster, cluster.node('n1'), unitsOf(100));
  const old = cluster.leader!;
  const survivors = cluster.nodes.filter((node) => node !== old);
  const sessions = survivors.map(({ control }) => control.session);
  await cluster.kill(old);
  const beforeMs = cluster.time.monotonicMs();
  await cluster.until('new leader', () => cluster.leader !== undefined, 3_000);
  assert.ok(cluster.time.monotonicMs() - beforeMs <= 3_000);
  await cluster.time.run(9_000);
  await acquire(cluster, survivors[0]!, unitsOf(50, 10_001));
  await cluster.time.run(10_000);
  assert.deepEqual(
    survivors.map(({ control }) => control.session),
    sessions,
  );
  nobodyFailed(cluster);
  // The dead one's session: the new leader gives it a full term, then ends it.
  assert.equal(survivors[0]!.control.liveSessions().length, 2);
  assert.equal(survivors[0]!.control.table.uncleanCount, 1);
});

test('a silent node: its session ends after 1.1 TTL, unclean, and its partitions are read by others', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('access-log', 6);
  await cluster.startAll();
  const readers = (node: VirtualNode): (string | null)[] =>
    node.control.status().table.partitions.map(({ reader }) => reader?.nodeId ?? null);
  const leader = cluster.leader!;
  await cluster.until('all partitions are read', () => readers(leader).length === 6 && !readers(leader).includes(null));
  await cluster.until(
    'balanced',
    () => ['n1', 'n2', 'n3'].every((id) => readers(leader).filter((r) => r === id).length === 2),
    60_000,
  );
  await cluster.until('told', () => leader.shards.every((shard) => shard.last('partitions')?.partitions.length === 1));

  const victim = cluster.nodes.find((node) => node !== leader)!;
  const session = victim.control.session;
  await cluster.kill(victim);
  const killedMs = cluster.time.monotonicMs();
  await cluster.until('expired', () => !leader.control.liveSessions().some((s) => s.session === session), 15_000);
  const tookMs = cluster.time.monotonicMs() - killedMs;
  assert.ok(tookMs >= 10_000 && tookMs <= 13_500, `took ${tookMs} ms`);
  assert.equal(leader.control.table.uncleanCount, 1);
  await cluster.until('moved', () => !readers(leader).includes(null) && !readers(leader).includes(victim.id), 500);
  nobodyFailed(cluster);

  // It comes back under a higher counter, and gets its share.
  const back = await cluster.start(victim.id);
  await cluster.until('back', () => back.control.session !== null, 5_000);
  await cluster.until('share', () => readers(leader).filter((id) => id === victim.id).length === 2, 60_000);
});

test('a quick restart supersedes the old session without a wait', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
  const session = victim.control.session;
  await cluster.kill(victim);
  const back = await cluster.start(victim.id);
  await cluster.until('reopened', () => back.control.session !== null, 4_000);
  assert.ok(!back.control.liveSessions().some((entry) => entry.session === session));
  assert.equal(back.control.table.uncleanCount, 1);
});

test('a stuck shard: no renewal, the session is lost after 9 s and a new one opens with new shards', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = cluster.nodes.find(({ control }) => !control.isLeader)!;
  await cluster.time.run(4_000);
  const first = node.control.session;
  const beforeMs = cluster.time.monotonicMs();
  node.shards[1]!.isStuck = true;
  await cluster.until('lost', () => node.lost.length > 0, 13_000);
  const tookMs = cluster.time.monotonicMs() - beforeMs;
  assert.ok(tookMs > 5_000 && tookMs <= 12_200, `took ${tookMs} ms`);
  assert.match(node.lost[0]!, /no progress/);
  assert.equal(node.control.session, null);
  for (const shard of node.shards) shard.isEnded = true;
  node.shards = cluster.shards(node.id, 2);
  node.control.restartSession(2, node.shards);
  await cluster.until('open again', () => node.control.session !== null, 3_000);
  assert.notEqual(node.control.session, first);
  assert.equal(node.control.liveSessions().length, 3);
  assert.deepEqual(node.fatal, []);
});

test('a leader cut off: its node stops holding at 9 s, before the others give its units away', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  await cluster.time.run(3_500);
  const old = cluster.leader!;
  const session = old.control.session;
  cluster.network.isolate(old.id);
  await cluster.until('lost', () => old.lost.length > 0, 9_300);
  const other = cluster.nodes.find((node) => node !== old)!;
  assert.ok(other.control.liveSessions().some((entry) => entry.session === session));
  assert.equal(old.control.isLeader, false);
  await cluster.until('expired', () => !other.control.liveSessions().some((s) => s.session === session), 10_000);
});

test('a stalled leader expires nobody', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  await cluster.time.run(2_000);
  // All stand still: the worst case for a leader that looks at its clock first.
  cluster.time.stall(8_000);
  await cluster.time.run(10_000);
  assert.equal(cluster.nodes[0]!.control.table.uncleanCount, 0);
});

test('a store that does not continue the one before ends every session', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const { control, shards } = cluster.nodes.find(({ control }) => !control.isLeader)!;
  const before = [...control.table.sessions()].map(({ session }) => session);
  cluster.storeLife.generation = 'generation-b';
  cluster.storeLife.continues = false;
  shards[0]!.say({ kind: 'generationSeen', generationId: 'generation-b' });
  await cluster.until('logged', () => control.table.generation === 2, 1_000);
  assert.equal(before.length, 3);
  for (const session of before) assert.equal(control.table.session(session), undefined);
  assert.equal(control.table.uncleanCount, 3);
});

test('another generation of the store is logged once, after the leader has asked its own store', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = cluster.nodes.find(({ control }) => !control.isLeader)!;
  node.shards[0]!.say({ kind: 'generationSeen', generationId: 'a lie' });
  await cluster.time.run(500);
  assert.equal(node.control.table.generation, 1);
  cluster.storeLife.generation = 'generation-b';
  for (let i = 0; i < 5; i++) node.shards[0]!.say({ kind: 'generationSeen', generationId: 'generation-b' });
  await cluster.until('logged', () => node.control.table.generation === 2, 1_000);
  await cluster.time.run(1_000);
  for (const other of cluster.nodes) {
    assert.equal(other.control.table.generation, 2);
    assert.equal(other.shards[0]!.last('generation')?.generationId, 'generation-b');
  }
});

test('snapshots keep the log short; a node far behind and a whole restart get the table back', async () => {
  const cluster = new VirtualCluster({ compaction: { entriesMax: 20, trailingEntries: 5 } });
  await cluster.startAll();
  const behind = cluster.nodes.find(({ control }) => !control.isLeader)!;
  await cluster.kill(behind);
  const asker = cluster.leader!;
  // Longer than entries are kept for it.
  for (let i = 0; i < 130; i++) {
    asker.shards[0]!.say({ kind: 'acquire', units: unitsOf(10, 1 + i * 10) });
    await cluster.time.run(20);
  }
  assert.ok(cluster.storage(asker.id).compactCount >= 2);
  assert.ok(cluster.storage(asker.id).entries.length < 60);
  const back = await cluster.start(behind.id);
  const isSame = (): boolean => back.control.table.unitCount === asker.control.table.unitCount;
  await cluster.until('caught up', () => back.control.session !== null && isSame(), 6_000);
  assert.ok(back.control.table.unitCount >= 300, 'all but what the dead session held');

  const { generation, epochBase } = asker.control.table;
  for (const node of cluster.nodes) await cluster.kill(node);
  await cluster.startAll();
  for (const { control } of cluster.nodes) {
    assert.equal(control.table.generation, generation);
    assert.equal(control.table.epochBase, epochBase);
  }
  const table = cluster.nodes[0]!.control.table;
  assert.equal(table.uncleanCount, 4, 'three sessions were superseded after one');
  assert.equal(table.unitCount, 0);
});

test('status of all nodes, an unreachable one as a row with its error; queries reach the holder', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const key = new TextEncoder().encode('alice');
  hashUnit(key, 0, key.length);
  await acquire(cluster, cluster.node('n2'), Uint32Array.of(unitHashOut.hi, unitHashOut.lo));
  const holder = cluster.node('n2').control.unitInfo(unitHashOut.hi, unitHashOut.lo)!;
  for (const { control } of cluster.nodes) {
    const { answer } = await cluster.settle(control.queryUser(key, 1_000));
    assert.deepEqual(answer?.code === 'OK' ? answer.user?.view : answer, { events: 3 });
  }
  const nobody = await cluster.settle(cluster.node('n1').control.queryUser(Uint8Array.of(1), 1_000));
  assert.deepEqual(nobody, { holder: null, answer: null });

  const asker = cluster.nodes.find(({ id }) => id !== holder.nodeId)!;
  await cluster.kill(cluster.node(holder.nodeId));
  const rows = await cluster.settle(asker.control.clusterStatus(500));
  assert.deepEqual(
    rows.map(({ nodeId }) => nodeId),
    ['n1', 'n2', 'n3'],
  );
  for (const row of rows) assert.equal(row.reachable, row.nodeId !== holder.nodeId);
  const own = rows.find(({ nodeId }) => nodeId === asker.id)!;
  assert.ok(own.reachable);
  assert.equal(own.status.table.sessions.length, 3);
  assert.deepEqual(JSON.parse(JSON.stringify(own.status)), own.status);
  const unanswered = await cluster.settle(asker.control.queryUser(key, 300));
  assert.equal(unanswered.answer?.code, 'UNREACHABLE');
});

test('a node alone is a cluster at once', async () => {
  const cluster = new VirtualCluster({}, ['n1']);
  const beforeMs = cluster.time.monotonicMs();
  const [node] = await cluster.startAll();
  assert.ok(cluster.time.monotonicMs() - beforeMs < 500);
  await acquire(cluster, node!, unitsOf(10));
  assert.deepEqual(await cluster.settle(node!.control.stop(10_000)), { clean: true, drained: true });
});

test('nothing is given while the store is down at the founding; the leader says why', async () => {
  const cluster = new VirtualCluster();
  cluster.storeLife.isDown = true;
  cluster.storeLife.highest = 77;
  for (const id of cluster.ids) await cluster.start(id);
  await cluster.time.run(6_000);
  assert.equal(cluster.node('n1').control.liveSessions().length, 0);
  const [problem] = cluster.leader!.control.status().problems!;
  assert.match(problem!.text, /the store is down/);
  assert.deepEqual([problem!.about, problem!.code], ['store', 'FAILED']);
  assert.ok(problem!.sinceMs > 3_000);
  cluster.storeLife.isDown = false;
  await cluster.until('open', () => cluster.nodes.every(({ control }) => control.session !== null));
  assert.equal(cluster.node('n1').control.table.epochBase, 77);
  assert.deepEqual(cluster.leader!.control.status().problems, []);
});

test('a store that was given up is a problem until another one answers', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const leader = cluster.leader!;
  const follow = async (generation: string): Promise<void> => {
    cluster.storeLife.generation = generation;
    await cluster.time.run(6_000);
  };
  await follow('generation-b');
  assert.deepEqual(problemsOf(leader), []);
  await follow('generation-a');
  assert.deepEqual(problemsOf(leader), [[null, 'FORMER_GENERATION']]);
  await follow('generation-c');
  assert.deepEqual(problemsOf(leader), []);
});

test('a topic made anew is a problem until an operator consents', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('access-log', 2);
  await cluster.startAll();
  const leader = cluster.leader!;
  const ids = (): string[] => leader.control.status().table.partitions.map(({ topicId }) => topicId);
  await cluster.until('known', () => ids().length === 2);
  cluster.topics.topics.set('access-log', { topic: 'access-log', topicId: topicId('made-anew'), partitions: 3 });
  await cluster.time.run(6_000);
  assert.deepEqual(problemsOf(leader), [['access-log', 'TOPIC_CHANGED']]);
  assert.deepEqual(ids(), ['id-of-access-log', 'id-of-access-log']);
  const asker = cluster.nodes.find((node) => node !== leader)!;
  const replace = (topic: string) =>
    cluster.settle(asker.control.admin({ kind: 'replaceTopic', topic }, 2_000)) as Promise<{
      code: string;
      text: string;
    }>;
  const other = await replace('acces-log');
  assert.deepEqual([other.code, other.text], ['REFUSED', 'the job reads no topic acces-log; its input: access-log']);
  const reply = await replace('access-log');
  assert.deepEqual([reply.code, reply.text], ['OK', null]);
  assert.deepEqual(ids(), ['made-anew', 'made-anew', 'made-anew']);
  assert.deepEqual(problemsOf(leader), []);
  assert.match((await replace('access-log')).text, /nothing to replace/);
  cluster.topics.topics.delete('access-log');
  assert.deepEqual(await replace('access-log'), {
    code: 'REFUSED',
    reason: 'BAD_REQUEST',
    text: 'there is no topic access-log',
  });
});

test('a topic that is not there is a problem, told once when it begins and once when it is over', async () => {
  const lines: unknown[] = [];
  const note = (text: string, fields?: object) => lines.push([text, { ...fields }]);
  const logger: Logger = { ...silentLogger, error: note, info: note, warn: note, child: () => logger };
  const cluster = new VirtualCluster({ topics: ['acces-log'], logger }, ['n1']);
  await cluster.startAll();
  const leader = cluster.leader!;
  await cluster.time.run(20_000);
  assert.deepEqual(problemsOf(leader), [['acces-log', 'TOPIC_MISSING']]);
  cluster.topics.create('acces-log', 1);
  await cluster.until('known', () => problemsOf(leader).length === 0);
  const told = lines.filter((line) => JSON.stringify(line).includes('acces-log'));
  assert.deepEqual(told, [
    ['there is no such topic: nothing is read from it', { topic: 'acces-log' }],
    ['the topic can be read again', { topic: 'acces-log' }],
  ]);
});

test('an operator ends a lease by force: an unclean end, while the session lives', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = cluster.node('n2');
  const [hi, lo] = [123, 456];
  await acquire(cluster, node, Uint32Array.of(hi, lo));
  const reply = await cluster.settle(node.control.admin({ kind: 'forceRelease', hi, lo }, 2_000));
  assert.equal(reply.code, 'OK');
  await cluster.until('free', () => node.control.unitInfo(hi, lo) === null, 100);
  assert.equal(node.control.table.forcedCount, 1);
  assert.equal(node.control.table.uncleanCount, 1);
  assert.equal(node.control.liveSessions().length, 3);
});

test('the same run twice gives the same history', async () => {
  const history = async (): Promise<string> => {
    const cluster = new VirtualCluster();
    await cluster.startAll();
    await acquire(cluster, cluster.node('n1'), unitsOf(100));
    await cluster.kill(cluster.leader!);
    await cluster.time.run(20_000);
    return JSON.stringify(
      cluster.network.raftSent.map(({ from, to, message }) => [from, to, message.type, message.term]),
    );
  };
  assert.equal(await history(), await history());
});
