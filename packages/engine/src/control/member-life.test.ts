import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeId, nodeId } from '@holdfast/model';
import { nobodyFailed } from './cluster-steps.test.ts';
import { ControlPlaneError } from './control-plane-error.ts';
import { joinMethod } from './member-keeper.ts';
import { MemoryRaftStorage } from './memory-ports.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const followerOf = (cluster: VirtualCluster): VirtualNode =>
  cluster.nodes.find(({ control }) => !control.isLeader && control.leadership.leader !== null)!;

const admin = (cluster: VirtualCluster, request: Parameters<VirtualNode['control']['admin']>[0]) =>
  cluster.settle(cluster.leader!.control.admin(request, 10_000));

const endOf = (node: VirtualNode): string | undefined =>
  node.fatal[0] instanceof ControlPlaneError ? node.fatal[0].code : undefined;

/** Kills a follower and takes it out for good, name and all; its disk stays as it was. */
async function removed(cluster: VirtualCluster): Promise<NodeId> {
  const node = followerOf(cluster);
  await cluster.kill(node);
  await cluster.until('its session to end', () => cluster.leader?.control.liveSessions().length === 2, 30_000);
  for (const kind of ['removeMember', 'forgetNode'] as const) {
    assert.deepEqual((await admin(cluster, { kind, nodeId: node.id })).code, 'OK');
  }
  await cluster.until('two voters', () => cluster.nodes.every(({ control }) => votersOf(control).length === 2));
  return node.id;
}

const votersOf = (control: VirtualNode['control']): readonly string[] => control.status().raft.voters;

async function drain(cluster: VirtualCluster, id: NodeId, draining = true): Promise<void> {
  assert.equal((await admin(cluster, { kind: 'setDraining', nodeId: id, draining })).code, 'OK');
}

test('who was removed while it was away is told so, ends, and has disturbed nobody', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const id = await removed(cluster);
  const { term } = cluster.leader!.control.leadership;
  const back = await cluster.start(id);
  await cluster.until('it takes itself for a voter', () => votersOf(back.control).length === 3, 500);
  await cluster.until('its end', () => back.fatal.length > 0, 10_000);
  assert.equal(endOf(back), 'REMOVED');
  assert.equal(back.control.session, null);
  assert.equal(cluster.leader!.control.leadership.term, term);
  assert.equal(cluster.leader!.control.liveSessions().length, 2);
  cluster.up.delete(id);
  nobodyFailed(cluster);
});

test('a removed member that nobody answers goes on asking, and raises no term', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const id = await removed(cluster);
  const { term } = cluster.leader!.control.leadership;
  const back = await cluster.start(id);
  cluster.network.loseAnswersTo(id);
  cluster.network.raftSent.length = 0;
  await cluster.time.run(60_000);
  assert.deepEqual(back.fatal, []);
  const kinds = new Set(cluster.network.raftSent.filter(({ from }) => from === id).map(({ message }) => message.type));
  assert.deepEqual([...kinds], ['preVote'], 'it asks whether it might stand, no more');
  assert.equal(cluster.leader!.control.leadership.term, term);
  assert.equal(back.control.leadership.term, term);
});

test('every node that has applied the removal knows it, after snapshots and restarts too', async () => {
  const cluster = new VirtualCluster({ compaction: { entriesMax: 5, trailingEntries: 0 } });
  await cluster.startAll();
  const id = await removed(cluster);
  const other = followerOf(cluster);
  await drain(cluster, other.id);
  await drain(cluster, other.id, false);
  await cluster.until('a snapshot', () => cluster.storage(other.id).snapshot !== null);
  await cluster.kill(other);
  await cluster.start(other.id);
  const ask = async (member: string) => {
    const bytes = await cluster.network.callAs(id, other.id, joinMethod, encode({ member, uuid: 'any' }));
    return JSON.parse(new TextDecoder().decode(bytes)) as { code: string; reason?: string };
  };
  await cluster.time.run(100);
  assert.equal((await ask(`${id}/only-one`)).reason, 'REMOVED');
  assert.notEqual((await ask(`${id}/another`)).reason, 'REMOVED', 'the same node on another storage may join');
});

test('who is behind, cut off, or has not joined yet is never told that it was removed', async () => {
  const cluster = new VirtualCluster();
  const early = await cluster.start(nodeId('n4'), { voters: cluster.ids });
  await cluster.time.run(10_000);
  for (const id of cluster.ids) await cluster.start(id);
  await cluster.until('a leader', () => cluster.leader !== undefined);
  const behind = followerOf(cluster);
  cluster.network.isolate(behind.id);
  await cluster.time.run(30_000);
  cluster.network.heal(behind.id);
  await cluster.until('back', () => behind.control.leadership.leader !== null, 10_000);
  assert.deepEqual([...early.fatal, ...behind.fatal], []);
});

test('a removed node joins anew on another folder and storage', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const id = await removed(cluster);
  cluster.replaceStorage(id, new MemoryRaftStorage(cluster.time, 'fresh'));
  const back = await cluster.start(id, { incarnation: { uuid: 'fresh-folder', counter: 1 } });
  await cluster.until('a session', () => back.control.session !== null, 20_000);
  await cluster.until('its vote', () => votersOf(cluster.leader!.control).length === 3, 20_000);
});

test('another folder under a known name gets neither a place among the members nor a session, until the name is free', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const node = followerOf(cluster);
  await cluster.kill(node);
  const storage = cluster.storage(node.id);
  cluster.replaceStorage(node.id, new MemoryRaftStorage(cluster.time, 'another'));
  const stranger = await cluster.start(node.id, { incarnation: { uuid: 'another-folder', counter: 1 } });
  await cluster.until('refused', () => stranger.fatal.length > 0);
  assert.equal(endOf(stranger), 'NODE_ID_TAKEN');
  assert.deepEqual(cluster.leader!.control.status().raft.learners, []);
  await cluster.kill(stranger);
  // The folder that has the name is back: nothing was taken from it.
  cluster.replaceStorage(node.id, storage);
  const back = await cluster.start(node.id);
  await cluster.until('a session', () => back.control.session !== null);
  assert.deepEqual(back.fatal, []);
});

test('a leader that drains hands leadership on, and does not get it back', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const first = cluster.leader!;
  const { term } = first.control.leadership;
  await drain(cluster, first.id);
  await cluster.until('another leads', () => cluster.leader !== undefined && cluster.leader.id !== first.id, 2_000);
  assert.equal(cluster.leader!.control.leadership.term, term + 1, 'no time-out, no contest');
  assert.ok(votersOf(first.control).includes(first.id), 'it votes as before');
  for (let i = 0; i < 5; i++) {
    const leader = cluster.leader!;
    await cluster.kill(leader);
    await cluster.until('the next', () => cluster.leader !== undefined, 10_000);
    assert.notEqual(cluster.leader!.id, first.id);
    await cluster.start(leader.id);
    const { table } = cluster.leader!.control;
    const isLevel = () => cluster.nodes.every(({ control }) => control.table.tableIndex === table.tableIndex);
    await cluster.until(
      'all to have the log, and a session',
      () => isLevel() && [...table.sessions()].length === 3,
      20_000,
    );
  }
  const answer = await admin(cluster, { kind: 'transferLeader', to: first.id });
  assert.equal(answer.code, 'REFUSED');
  assert.deepEqual(first.fatal, []);
});

test('a draining voter leads when no other can, and hands on as soon as one is back', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const [first, second, third] = [cluster.leader!, ...cluster.nodes.filter(({ control }) => !control.isLeader)];
  await drain(cluster, second!.id);
  await drain(cluster, third!.id);
  await cluster.kill(first);
  await cluster.until('one of them leads', () => cluster.leader !== undefined, 10_000);
  const { term } = cluster.leader!.control.leadership;
  await cluster.time.run(5_000);
  assert.equal(cluster.leader!.control.leadership.term, term, 'they pass it to each other no more than to nobody');
  await cluster.start(first.id);
  await cluster.until('the first leads again', () => cluster.leader?.id === first.id, 5_000);
});

test('a leader that stops hands over to one that stays', async () => {
  for (const draining of [0, 1]) {
    const cluster = new VirtualCluster();
    await cluster.startAll();
    const leader = cluster.leader!;
    const others = cluster.nodes.filter((node) => node !== leader);
    await drain(cluster, others[draining]!.id);
    cluster.up.delete(leader.id);
    const stopping = leader.control.stop(60_000);
    await cluster.until('another leads', () => cluster.leader !== undefined, 1_000);
    assert.equal(cluster.leader!.id, others[1 - draining]!.id);
    await cluster.settle(stopping);
  }
});

test('of two voters whose stop is asked for at once, the second one waits where the rest could not decide', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const [first, second] = cluster.nodes.filter((node) => node !== cluster.leader) as [VirtualNode, VirtualNode];
  await drain(cluster, first.id);
  await drain(cluster, second.id);
  const stop = (node: VirtualNode) => admin(cluster, { kind: 'stopNode', nodeId: node.id });
  const [one, other] = await Promise.all([stop(first), stop(second)]);
  assert.equal(one.code, 'OK');
  assert.deepEqual(other, { code: 'RETRY', text: 'it votes, and other voters are just being stopped' });
  assert.equal((await stop(first)).code, 'OK', 'again');
  await cluster.kill(first);
  await cluster.start(first.id);
  await cluster.until('it to be back', () => cluster.leader!.control.liveSessions().length === 3, 30_000);
  await cluster.time.run(5_000);
  assert.equal((await stop(second)).code, 'OK');
});

test('a voter is not stopped where too few would be left, and a drain of the last node is refused', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const leader = cluster.leader!;
  const [lost, other] = cluster.nodes.filter((node) => node !== leader) as [VirtualNode, VirtualNode];
  assert.match(JSON.stringify(await admin(cluster, { kind: 'stopNode', nodeId: other.id })), /drained first/);
  await drain(cluster, other.id);
  await cluster.kill(lost);
  const isActive = () => leader.control.status().raft.peers.some(({ id, active }) => id === lost.id && active);
  await cluster.until('it to be missed', () => !isActive());
  const stop = await admin(cluster, { kind: 'stopNode', nodeId: other.id });
  assert.match(JSON.stringify(stop), /REFUSED.*only 1 of the 2 voters needed would be left/);
  assert.equal((await admin(cluster, { kind: 'removeMember', nodeId: other.id })).code, 'REFUSED', 'it has a session');
  await cluster.until('its session to end', () => leader.control.liveSessions().length === 2, 30_000);
  const last = await admin(cluster, { kind: 'setDraining', nodeId: leader.id, draining: true });
  assert.match(JSON.stringify(last), /LAST_NODE/);
  nobodyFailed(cluster);
});
