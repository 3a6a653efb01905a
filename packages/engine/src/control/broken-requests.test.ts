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
