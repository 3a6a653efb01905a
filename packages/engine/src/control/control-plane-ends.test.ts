import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionId } from '@holdfast/model';
import { decodeJson, encodeJson, type LeaderReply } from './calls.ts';
import { acquire, nobodyFailed, unitsOf } from './cluster-steps.test.ts';
import { ControlPlaneError } from './control-plane-error.ts';
import { memberIdOf } from './member-id.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

test('two nodes with one id: the second is refused', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  await cluster.kill(cluster.node('n3'));
  const impostor = await cluster.start('n3' as never, { incarnation: { uuid: 'another-folder', counter: 9 } });
  await cluster.until('refused', () => impostor.fatal.length > 0, 5_000);
  assert.ok(impostor.fatal[0] instanceof ControlPlaneError && impostor.fatal[0].code === 'NODE_ID_TAKEN');
  assert.equal(impostor.control.session, null);
});

test('a node that sees its successor ends', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = cluster.nodes.find(({ control }) => !control.isLeader)!;
  const leader = cluster.leader!;
  // Its successor opens a session through another machine that has the same folder.
  const body = new TextEncoder().encode(
    JSON.stringify({
      member: `${node.id}/only-one`,
      uuid: `folder-of-${node.id}`,
      counter: 7,
      addresses: ['x', 'y'],
      version: '0',
    }),
  );
  await cluster.settle(cluster.network.callAs(node.id, leader.id, 'session.open', body));
  await cluster.until('fatal', () => node.fatal.length > 0, 5_000);
  assert.ok(node.fatal[0] instanceof ControlPlaneError && node.fatal[0].code === 'SUPERSEDED');
});

test('two copies of one data folder with as many starts: the second is refused, the first goes on', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const leader = cluster.leader!;
  const node = cluster.nodes.find((other) => other !== leader)!;
  const { session } = node.control;
  const { addresses } = leader.control.table.session(sessionId(session!))!;
  const right = {
    member: memberIdOf(node.id, cluster.storage(node.id).identity),
    uuid: `folder-of-${node.id}`,
    counter: 1,
    addresses,
    version: '0',
  };
  const open = (request: object) => cluster.network.callAs(node.id, leader.id, 'session.open', encodeJson(request));
  const answerTo = async (request: object) => decodeJson<LeaderReply>(await cluster.settle(open(request)));
  for (const other of [['elsewhere:1', ...addresses.slice(1)], addresses.slice(1), [...addresses, 'one:more']]) {
    const answer = await answerTo({ ...right, addresses: other });
    assert.equal('reason' in answer && answer.reason, 'SUPERSEDED', `${other}`);
    assert.match('text' in answer ? answer.text : '', /copy/);
  }
  assert.deepEqual(await answerTo(right), { code: 'OK', session }, 'its own request, once more');
  await cluster.time.run(15_000);
  assert.equal(node.control.session, session);
  nobodyFailed(cluster);

  // Both asked at once: the second while the first is on its way into the log.
  const both = [addresses, ['elsewhere:1', 'x']].map((own) => ({ ...right, counter: 2, addresses: own }));
  const answers = await cluster.settle(Promise.all(both.map(open)));
  assert.deepEqual(
    answers.map((answer) => decodeJson<LeaderReply>(answer).code),
    ['OK', 'RETRY'],
  );
  const again = await answerTo(both[1]!);
  assert.equal('reason' in again && again.reason, 'SUPERSEDED');
});

test('a copy of a data folder ends, and leaves the session of the other alone, also when it is stopped at once', async () => {
  for (const isStopped of [false, true]) {
    const cluster = new VirtualCluster();
    await cluster.startAll();
    const first = cluster.nodes.find(({ control }) => !control.isLeader)!;
    const { session } = first.control;
    // Silent, but its session isn't over yet.
    await cluster.kill(first);
    const incarnation = { uuid: `folder-of-${first.id}`, counter: 1 };
    const copy = await cluster.start(first.id, { incarnation, shards: cluster.shards(first.id, 9) });
    const has = ({ control }: VirtualNode) => control.liveSessions().some((live) => live.session === session);
    if (isStopped) {
      // Not told yet that it is refused.
      cluster.network.loseAnswersTo(first.id);
      await cluster.until('known to the copy', () => has(copy), 5_000);
      await cluster.settle(copy.control.stop(2_000));
    } else await cluster.until('ended', () => copy.fatal.length > 0, 5_000);
    await cluster.time.run(100);
    assert.equal(has(cluster.leader!), true, `${isStopped}`);
    if (!isStopped) assert.equal((copy.fatal[0] as ControlPlaneError).code, 'SUPERSEDED');
  }
});

test('a clean stop hands partitions and leadership over, and is no unclean end', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('access-log', 4);
  await cluster.startAll();
  await acquire(cluster, cluster.node('n1'), unitsOf(300));
  const leader = cluster.leader!;
  const { term } = leader.control.leadership;
  cluster.up.delete(leader.id);
  const stopping = leader.control.stop(60_000);
  await cluster.until('another leads', () => cluster.leader !== undefined, 1_000);
  const result = await cluster.settle(stopping);
  assert.deepEqual(result, { clean: true, drained: true });
  assert.equal(cluster.leader!.control.leadership.term, term + 1);
  const { table } = cluster.leader!.control;
  assert.equal(table.uncleanCount, 0);
  assert.equal(cluster.leader!.control.liveSessions().length, 2);
  await cluster.time.run(500);
  const readers = cluster.leader!.control.status().table.partitions.map(({ reader }) => reader?.nodeId);
  assert.equal(readers.length, 4);
  assert.ok(readers.every((id) => id !== undefined && id !== leader.id));
  await cluster.time.run(15_000);
  assert.equal(table.uncleanCount, 0);
  nobodyFailed(cluster);
});

test('a whole cluster that stops at once ends all its sessions clean', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const results = await cluster.settle(Promise.all(cluster.nodes.map(({ control }) => control.stop(60_000))));
  assert.deepEqual(
    results,
    [1, 2, 3].map(() => ({ clean: true, drained: true })),
  );
});

test('a node that stops before it knows that its session is open ends it all the same', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
  await cluster.kill(victim);
  const back = await cluster.start(victim.id);
  const isInTable = (): boolean =>
    back.control.liveSessions().some(({ shardAddresses }) => shardAddresses[0]!.includes(':2:'));
  await cluster.until('in the table', isInTable, 5_000);
  assert.equal(back.control.session, null);
  const stopping = back.control.stop(10_000);
  assert.equal(back.control.session, null, 'its shards never knew of it');
  assert.deepEqual(await cluster.settle(stopping), { clean: true, drained: true });
  assert.equal(cluster.leader!.control.liveSessions().length, 2);
  assert.equal(cluster.leader!.control.table.uncleanCount, 1);
});

test('a node that stops while the leader opens its session ends it all the same', async () => {
  for (const moment of ['asked', 'opened', 'answered']) {
    const cluster = new VirtualCluster();
    await cluster.startAll();
    const leader = cluster.leader!;
    const victim = cluster.nodes.find((node) => node !== leader)!;
    await cluster.kill(victim);
    let reached = '';
    cluster.network.rewrite = (method, what, bytes) => {
      if (method === 'session.open') {
        if (what === 'request') {
          reached = 'asked';
          // Its table would show the session with the answer.
          if (moment === 'answered') cluster.network.logless.add(victim.id);
        } else if (decodeJson<{ code: string }>(bytes).code === 'OK') reached = 'answered';
      }
      return bytes;
    };
    const back = await cluster.start(victim.id);
    const isOpenAt = (table: VirtualNode): boolean =>
      table.control.liveSessions().some(({ shardAddresses }) => shardAddresses[0]!.includes(`${victim.id}:2:`));
    await cluster.until(moment, () => (moment === 'opened' ? isOpenAt(leader) : reached === moment), 20_000);
    assert.equal(isOpenAt(back), false, moment);
    assert.deepEqual(await cluster.settle(back.control.stop(10_000)), { clean: true, drained: true }, moment);
    await cluster.time.run(1_000);
    assert.equal(isOpenAt(leader), false, moment);
    assert.equal(leader.control.table.uncleanCount, 1, moment);
  }
});

test('a node that stops while its session is asked for, and is not answered in time, does not say that it ended clean', async () => {
  // Before the try is given up, and after that.
  for (const timeoutMs of [1_000, 10_000]) {
    const cluster = new VirtualCluster();
    await cluster.startAll();
    const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
    await cluster.kill(victim);
    let isAsked = false;
    cluster.network.rewrite = (method, what, bytes) => {
      isAsked ||= method === 'session.open' && what === 'request';
      return bytes;
    };
    const back = await cluster.start(victim.id);
    await cluster.until('asked', () => isAsked);
    cluster.network.isolate(victim.id);
    assert.equal((await cluster.settle(back.control.stop(timeoutMs), timeoutMs + 1_000)).clean, false, `${timeoutMs}`);
  }
});

test('a shard that never stops: the deadline ends the drain, unclean', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = cluster.nodes.find(({ control }) => !control.isLeader)!;
  node.shards[0]!.stops = false;
  const result = await cluster.settle(node.control.stop(3_000), 6_000);
  assert.deepEqual(result, { clean: false, drained: false });
});
