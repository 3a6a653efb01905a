import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '@holdfast/model';
import { type CallMethod, decodeJson, encodeJson, type LeaderReply } from './calls.ts';
import { nobodyFailed } from './cluster-steps.test.ts';
import { memberIdOf } from './member-id.ts';
import { VirtualCluster } from './virtual-cluster.test.ts';

/** What a broken member asks of the leader, under its own name. */
async function asked(cluster: VirtualCluster, from: string, method: CallMethod, body: unknown): Promise<LeaderReply> {
  const answer = cluster.network.callAs(from, cluster.leader!.id, method, encodeJson(body));
  return decodeJson<LeaderReply>(await cluster.settle(answer));
}

test('a session of which something is no text is refused, and hinders none that follows', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const other = cluster.nodes.find((node) => node !== cluster.leader)!;
  const member = memberIdOf(other.id, cluster.storage(other.id).identity);
  const uuid = `folder-of-${other.id}`;
  const right = { member, uuid, counter: 2, addresses: ['a:1', 'a:2', 'a:3'], version: '1' };
  const { addresses: _, ...without } = right;
  const wrong = [
    { ...right, addresses: ['a:1', null] },
    { ...right, addresses: { length: 2 } },
    { ...right, addresses: [] },
    without,
    { ...right, version: null },
    { ...right, uuid: 7 },
    { ...right, crashes: { length: 1 } },
    { ...right, tableIndex: '9' },
    { ...right, services: null },
    { ...right, services: { log: { silentMs: 0, steadyMs: 0 } } },
    { ...right, services: { log: { silentMs: 0, steadyMs: 0 }, store: { silentMs: '0', steadyMs: null } } },
  ];
  for (const request of wrong) {
    const reply = await asked(cluster, other.id, 'session.open', request);
    assert.deepEqual(
      [reply.code, 'reason' in reply && reply.reason],
      ['REFUSED', 'BAD_REQUEST'],
      JSON.stringify(request),
    );
  }
  assert.equal((await asked(cluster, other.id, 'session.open', right)).code, 'OK');
  nobodyFailed(cluster);
});

test('what a node gives up, or asks as an operator would, in wrong types is refused, and ends nobody', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('in', 3);
  await cluster.startAll();
  const leader = cluster.leader!;
  const partitionsOf = (id: string) =>
    leader.control.status().table.partitions.filter(({ reader }) => reader?.nodeId === id);
  const other = cluster.nodes.find((node) => node !== leader)!;
  await cluster.until('something to read', () => partitionsOf(other.id).length > 0);
  const { partition } = partitionsOf(other.id)[0]!;
  const { session } = other.control;
  const topicId = leader.control.table.topicNamed('in')!.topicId;
  const { epoch } = leader.control.table.partitionLease(topicId, partition)!;
  const right = { topicId, partition, epoch };
  const wrong: [CallMethod, unknown][] = [
    ['partitions.giveUp', { session, partitions: [{ ...right, partition: String(partition) }] }],
    ['partitions.giveUp', { session, partitions: [{ ...right, topicId: 7 }] }],
    ['partitions.giveUp', { session, partitions: [{ ...right, epoch: null }] }],
    ['partitions.giveUp', { session, partitions: [null] }],
    ['partitions.giveUp', { session, partitions: { length: 1 } }],
    ['partitions.giveUp', { session: String(session), partitions: [right] }],
    ['partitions.giveUp', null],
    ['session.open', null],
    ['session.renew', null],
    ['session.renew', { session: [session] }],
    ['session.closing', 'a text'],
    ['session.end', { session: -1 }],
    ['admin', null],
    ['admin', { kind: 'forceRelease', hi: '1', lo: 2 }],
    ['admin', { kind: 'liftQuarantine', hi: 2 ** 32, lo: 2 }],
    ['admin', { kind: 'moveUnit', hi: 1, lo: 2, nodeId: 'n1', shard: '0' }],
    ['admin', { kind: 'setDraining', nodeId: other.id, draining: 1 }],
    ['admin', { kind: 'forgetNode', nodeId: ['n1'] }],
    ['admin', { kind: 'stopNode' }],
    ['admin', { kind: 'replaceTopic', topic: null }],
    ['admin', { kind: 'transferLeader', to: 1 }],
    ['admin', { kind: 'no such' }],
  ];
  for (const [method, body] of wrong) {
    const reply = await asked(cluster, other.id, method, body);
    assert.equal('reason' in reply && reply.reason, 'BAD_REQUEST', `${method} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(await asked(cluster, other.id, 'partitions.giveUp', { session, partitions: [right] }), {
    code: 'OK',
  });
  await cluster.time.run(1_000);
  nobodyFailed(cluster);
});

test('an order to hand over in wrong types is answered with an error, and reaches no shard', async () => {
  const cluster = new VirtualCluster({}, ['n1']);
  const [node] = await cluster.startAll();
  const { session } = node!.control;
  const to = { session, shard: 1 };
  const plan = [{ ...to, count: 2 }];
  const unit = { hi: 1, lo: 2, to };
  const wrong = [
    null,
    { session, shard: 0, plan: {} },
    { session, shard: 0, plan: null },
    { session, shard: 0, plan: [null] },
    { session, shard: 0, plan: [{ ...to, count: '2' }] },
    { session, shard: 0, plan: [{ ...to, shard: 0.5, count: 2 }] },
    { session, shard: '0', plan },
    { session: String(session), shard: 0, plan },
    { session, shard: 0, unit: null },
    { session, shard: 0, unit: { ...unit, hi: '1' } },
    { session, shard: 0, unit: { ...unit, to: null } },
    { session, shard: 0, unit: { ...unit, to: { session, shard: -1 } } },
  ];
  const order = (body: unknown) => cluster.network.callAs('n2', node!.id, 'units.handOver', encodeJson(body));
  for (const body of wrong) await assert.rejects(order(body), { name: 'ByteFormatError' }, JSON.stringify(body));
  const told = () => node!.shards[0]!.received.filter(({ kind }) => kind === 'handOver' || kind === 'moveUnit');
  assert.deepEqual(told(), []);
  for (const body of [
    { session, shard: 0, plan },
    { session, shard: 0, unit },
  ])
    await order(body);
  assert.equal(told().length, 2);
});

test('what can not be written to the log is on its way no more: the next try counts', async () => {
  const cluster = new VirtualCluster({ topics: ['in'] }, ['n1']);
  cluster.topics.topics.set('in', { topic: 'in', topicId: null as never, partitions: 1 });
  await cluster.startAll();
  const { control } = cluster.leader!;
  await cluster.until('a problem', () => control.status().problems?.length === 1);
  cluster.topics.create('in', 1);
  await cluster.until('known', () => control.table.topicNamed('in')?.topicId === 'id-of-in');
  nobodyFailed(cluster);
});

test('a node that finds an invariant broken over a question of another one ends', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const leader = cluster.leader!;
  const other = cluster.nodes.find((node) => node !== leader)!;
  leader.control.table.quarantine.of = () => {
    throw new InvariantError('two rows of one unit');
  };
  const question = asked(cluster, other.id, 'admin', { kind: 'liftQuarantine', hi: 1, lo: 2 });
  await assert.rejects(question, /two rows of one unit/);
  assert.deepEqual(leader.fatal, [new InvariantError('two rows of one unit')]);
  cluster.up.delete(leader.id);
  await cluster.until('another leads', () => cluster.leader !== undefined && cluster.leader !== leader, 30_000);
  nobodyFailed(cluster);
});
