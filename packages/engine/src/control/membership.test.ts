import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { decodeJson, encodeJson } from './calls.ts';
import { memberIdOf, nodeOfMember } from './member-id.ts';
import { joinMethod, voterGoneMs } from './member-keeper.ts';
import { MemoryRaftStorage } from './memory-ports.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const founders = ['n1', 'n2', 'n3'].map(nodeId);
const n4 = nodeId('n4');

async function founded(): Promise<VirtualCluster> {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  await cluster.until('a leader', () => cluster.leader !== undefined);
  return cluster;
}

const votersAt = (cluster: VirtualCluster, id: string): string[] => [...cluster.node(id).control.status().raft.voters];
const learnersAt = (cluster: VirtualCluster, id: string): string[] => [
  ...cluster.node(id).control.status().raft.learners,
];

/** Starts a node that the founders don't know, with addresses for all. */
async function join(cluster: VirtualCluster, id = n4): Promise<void> {
  const { control } = await cluster.start(id, { voters: founders });
  const all = new Map([...founders, id].map((peer) => [peer, `memory:${peer}`]));
  for (const node of cluster.nodes) node.control.setPeers(all);
  control.setPeers(all);
}

test('members are named by node and storage', () => {
  assert.equal(memberIdOf(n4, '0123456789abcdef'), 'n4/01234567');
  assert.equal(nodeOfMember('n4/01234567'), 'n4');
  assert.equal(nodeOfMember('plain'), 'plain');
});

test('a cluster is founded when all its voters are there, by one of them', async () => {
  const cluster = new VirtualCluster();
  await cluster.start(founders[0]!);
  await cluster.start(founders[1]!);
  await cluster.time.run(10_000);
  assert.equal(cluster.leader, undefined, 'the third might know of another cluster');
  await cluster.start(founders[2]!);
  await cluster.until('a leader', () => cluster.leader !== undefined);
  await cluster.until('all voters known', () => votersAt(cluster, 'n3').length === 3);
  assert.deepEqual(votersAt(cluster, 'n1'), ['n1', 'n2', 'n3']);
});

test('a node that names other first voters founds nothing with them', async () => {
  const cluster = new VirtualCluster();
  const early = nodeId('a9');
  await cluster.start(early, { voters: [early, founders[0]!] });
  for (const id of founders) await cluster.start(id);
  await cluster.until('a leader', () => cluster.leader !== undefined);
  assert.deepEqual(votersAt(cluster, cluster.leader!.id), ['n1', 'n2', 'n3']);
});

test('a new node joins as learner, and opens a session', async () => {
  const cluster = await founded();
  await join(cluster);
  await cluster.until('a session', () => cluster.node('n4').control.session !== null);
  assert.deepEqual(learnersAt(cluster, 'n4'), ['n4']);
  assert.deepEqual(votersAt(cluster, 'n4'), ['n1', 'n2', 'n3']);
});

test('a learner takes the place of a voter that is gone for long, and of one that is taken out', async () => {
  const cluster = await founded();
  await join(cluster);
  await cluster.until('a session', () => cluster.node('n4').control.session !== null);
  const lost = cluster.nodes.find(({ id, control }) => id !== n4 && !control.isLeader)!;
  await cluster.kill(lost);
  await cluster.time.run(voterGoneMs / 2);
  const leader = cluster.leader!.id;
  assert.ok(votersAt(cluster, leader).includes(lost.id), 'a restart takes less');
  await cluster.until('replaced', () => votersAt(cluster, leader).includes('n4'), voterGoneMs);
  await cluster.until('simple again', () => cluster.leader!.control.status().raft.votersOutgoing.length === 0);
  assert.deepEqual(learnersAt(cluster, leader), [lost.id]);
  const answer = await cluster.settle(
    cluster.node('n4').control.admin({ kind: 'removeMember', nodeId: lost.id }, 3_000),
  );
  assert.deepEqual(answer, { code: 'OK' });
  await cluster.until('out', () => learnersAt(cluster, leader).length === 0);
});

test('voters are spread over zones: one that is gone is replaced by a node of its zone, not by the first that asked', async () => {
  const zoneOf = (id: string): string => (['n1', 'n5'].includes(id) ? 'x' : 'y');
  const cluster = new VirtualCluster({ zoneOf });
  await cluster.startAll();
  const newcomers = ['n4', 'n5'].map(nodeId);
  for (const id of newcomers) await cluster.start(id, { voters: founders });
  const all = new Map([...founders, ...newcomers].map((peer) => [peer, `memory:${peer}`]));
  for (const node of cluster.nodes) node.control.setPeers(all);
  await cluster.until('sessions', () => newcomers.every((id) => cluster.node(id).control.session !== null));
  await cluster.kill(cluster.node('n1'));
  await cluster.until('another leads', () => cluster.leader !== undefined, 20_000);
  const voters = (): string[] => votersAt(cluster, cluster.leader?.id ?? 'n2');
  await cluster.until('replaced', () => !voters().includes('n1'), voterGoneMs * 2);
  assert.deepEqual(voters().sort(), ['n2', 'n3', 'n5']);
});

test('of two voters in one zone, one changes places with a learner in a zone without', async () => {
  const cluster = new VirtualCluster({ zoneOf: (id) => (id === n4 ? 'y' : 'x') });
  await cluster.startAll();
  await join(cluster);
  const leader = cluster.leader!.id;
  await cluster.until('a vote', () => votersAt(cluster, 'n4').includes('n4'), 20_000);
  await cluster.until('its place', () => learnersAt(cluster, 'n4').length === 1);
  assert.equal(votersAt(cluster, 'n4').length, 3);
  assert.ok(votersAt(cluster, 'n4').includes(leader), 'the leader stays');
});

test('taking out is refused for a node that is there, the leader, a stranger, and where it would end the quorum', async () => {
  const cluster = await founded();
  const leader = cluster.leader!;
  const others = cluster.nodes.filter((node) => node !== leader);
  const remove = async (id: string) => {
    const answer = await cluster.settle(leader.control.admin({ kind: 'removeMember', nodeId: id }, 3_000));
    return answer.code;
  };
  for (const id of [leader.id, others[0]!.id, 'n9']) assert.equal(await remove(id), 'REFUSED');
  await cluster.kill(others[0]!);
  await cluster.until('session over', () => leader.control.liveSessions().length === 2, 60_000);
  assert.equal(await remove(others[0]!.id), 'OK');
  await cluster.until('two voters', () => votersAt(cluster, leader.id).length === 2);
  assert.equal(await remove(others[1]!.id), 'REFUSED');
});

test('taking out is done when it is in the log: what a leader has only begun goes with it', async () => {
  const ids = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const cluster = new VirtualCluster({}, ids);
  await cluster.startAll();
  const leader = cluster.leader!;
  const lost = cluster.nodes.find((node) => node !== leader)!;
  await cluster.kill(lost);
  await cluster.until('session over', () => leader.control.liveSessions().length === 4, 60_000);
  cluster.network.isolate(leader.id);
  const removal = { kind: 'removeMember', nodeId: lost.id } as const;
  const answer = await cluster.settle(leader.control.admin(removal, 4_000));
  assert.notEqual(answer.code, 'OK');
  cluster.network.heal(leader.id);
  const other = cluster.nodes.find((node) => node !== leader)!;
  await cluster.until('another leads', () => other.control.status().raft.leader !== null && cluster.leader !== leader);
  assert.ok(votersAt(cluster, cluster.leader!.id).includes(lost.id));
  assert.deepEqual(await cluster.settle(other.control.admin(removal, 8_000)), { code: 'OK' });
  assert.ok(!votersAt(cluster, cluster.leader!.id).includes(lost.id));
});

test('a node that has lost its storage is another member: it is taken in anew, and gets its place back', async () => {
  const cluster = await founded();
  const lost = cluster.nodes.find(({ control }) => !control.isLeader)!;
  await cluster.kill(lost);
  cluster.replaceStorage(lost.id, new MemoryRaftStorage(cluster.time, 'another'));
  const { control } = await cluster.start(lost.id);
  await cluster.time.run(300);
  assert.deepEqual(control.status().raft.voters, [], 'it takes part in nothing yet');
  await cluster.until('a learner', () => learnersAt(cluster, lost.id).includes(lost.id), 30_000);
  // Its old self is a voter still; both go by the node's name here.
  await cluster.until('its place back', () => learnersAt(cluster, lost.id).length === 0, 30_000);
  await cluster.until('alone', () => control.status().raft.votersOutgoing.length === 0);
  assert.deepEqual(votersAt(cluster, lost.id), ['n1', 'n2', 'n3']);
});

test('the first voter, without its storage, does not found a second cluster', async () => {
  const cluster = await founded();
  const [n1, n2, n3] = founders.map((id) => cluster.node(id));
  const known = n2!.control.table.tableIndex;
  await cluster.kill(n1!);
  cluster.replaceStorage(n1!.id, new MemoryRaftStorage(cluster.time, 'another'));
  // Alone with one that was away when all was told.
  await cluster.kill(n2!);
  await cluster.kill(n3!);
  await cluster.start(n1!.id);
  await cluster.time.run(5_000);
  assert.equal(cluster.leader, undefined);
  await cluster.start(n2!.id);
  await cluster.time.run(10_000);
  assert.equal(cluster.leader, undefined, 'n1 does not count as the voter that it was');
  await cluster.start(n3!.id);
  await cluster.until('a leader', () => cluster.leader !== undefined);
  assert.notEqual(cluster.leader!.id, 'n1');
  await cluster.until('n1 is back', () => cluster.node('n1').control.table.tableIndex > known, 30_000);
});

test('a first voter that has voted for a founder of before, and has no log, is mended: nobody else has to be restarted', async () => {
  const cluster = new VirtualCluster();
  cluster.storage(founders[1]!).hardState = { term: 2, vote: 'n1/before', commit: 0 };
  for (const id of founders) await cluster.start(id);
  await cluster.time.run(30_000);
  assert.equal(cluster.leader, undefined, 'others might have what that founder wrote');
  await cluster.kill(cluster.node('n2'));
  cluster.replaceStorage(founders[1]!, new MemoryRaftStorage(cluster.time, 'another'));
  await cluster.start(founders[1]!);
  await cluster.until('a leader', () => cluster.leader !== undefined);
  assert.deepEqual(votersAt(cluster, cluster.leader!.id), ['n1', 'n2', 'n3']);
});

test('the lone founder of a grown cluster, without its storage, joins that, and founds none', async () => {
  const cluster = new VirtualCluster({}, ['n1']);
  await cluster.startAll();
  const founder = [nodeId('n1')];
  const all = new Map(['n1', 'n2', 'n3'].map((id) => [nodeId(id), `memory:${id}`]));
  for (const id of ['n2', 'n3'].map(nodeId)) {
    await cluster.start(id, { voters: founder });
    for (const node of cluster.nodes) node.control.setPeers(all);
  }
  const isThree = ({ control }: VirtualNode) => {
    const { voters, votersOutgoing } = control.status().raft;
    return voters.length === 3 && votersOutgoing.length === 0;
  };
  await cluster.until('three voters', () => cluster.nodes.every(isThree), 30_000);
  await cluster.kill(cluster.node('n1'));
  cluster.replaceStorage(nodeId('n1'), new MemoryRaftStorage(cluster.time, 'another'));
  // One that has no leader by itself may know of the cluster all the same.
  const n3 = cluster.node('n3');
  await cluster.kill(n3);
  const { control } = await cluster.start(nodeId('n1'));
  // Gossip takes a while.
  control.setPeers(new Map());
  await cluster.time.run(1_500);
  assert.deepEqual(control.status().raft.voters, []);
  const others = new Map(['n2', 'n3'].map((id) => [nodeId(id), `memory:${id}`]));
  control.setPeers(others);
  await cluster.time.run(10_000);
  assert.equal(cluster.leader, undefined);
  await cluster.start(n3.id, { voters: founder });
  for (const node of cluster.nodes) if (node.control !== control) node.control.setPeers(all);
  await cluster.until('it follows', () => ['n2', 'n3'].includes(String(control.leadership.leader)), 30_000);
});

test('a node alone that has lost its storage founds again, once it has listened for others', async () => {
  const cluster = new VirtualCluster({}, ['n1']);
  await cluster.startAll();
  await cluster.kill(cluster.node('n1'));
  cluster.replaceStorage(nodeId('n1'), new MemoryRaftStorage(cluster.time, 'another'));
  await cluster.start(nodeId('n1'));
  await cluster.time.run(4_000);
  assert.equal(cluster.leader, undefined);
  await cluster.until('it leads', () => cluster.leader !== undefined, 5_000);
});

test('a lone founder with a new folder on a store that has served a cluster listens for it first', async () => {
  const cluster = new VirtualCluster({}, ['n1']);
  cluster.storeLife.highest = 7_000;
  const { control } = await cluster.start(nodeId('n1'));
  control.setPeers(new Map());
  await cluster.time.run(1_500);
  assert.deepEqual(control.status().raft.voters, []);
  await cluster.until('it leads', () => cluster.leader !== undefined, 5_000);
});

test('a node with a log of its own is not taken in: two logs would be mixed', async () => {
  const cluster = await founded();
  const ask = async (hasLog: boolean) => {
    const request = encodeJson({ member: 'n9/00000000', uuid: 'folder-of-n9', hasLog });
    const bytes = await cluster.network.callAs(nodeId('n9'), cluster.leader!.id, joinMethod, request);
    return decodeJson<{ code: string }>(bytes).code;
  };
  assert.equal(await ask(true), 'REFUSED');
  assert.deepEqual(learnersAt(cluster, cluster.leader!.id), []);
  assert.equal(await ask(false), 'OK');
  await cluster.until('a learner', () => learnersAt(cluster, cluster.leader!.id).length === 1);
});

test('voters that lost their storages together, the first one among them, are taken in within seconds', async () => {
  const cluster = new VirtualCluster({}, ['n1', 'n2', 'n3', 'n4', 'n5']);
  await cluster.startAll();
  for (const id of ['n1', 'n3'].map(nodeId)) {
    await cluster.kill(cluster.node(id));
    cluster.replaceStorage(id, new MemoryRaftStorage(cluster.time, 'another'));
  }
  // The first asks all whether they would found a cluster with it, the other blank one among them.
  for (const id of ['n3', 'n1'].map(nodeId)) await cluster.start(id);
  const follows = (id: string): boolean => cluster.node(id).control.leadership.leader !== null;
  await cluster.until('both follow', () => follows('n1') && follows('n3'), 15_000);
});
