import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CrashNote, PartitionEnds } from '@holdfast/lease';
import { type Logger, silentLogger, topicId } from '@holdfast/model';
import type { CrashReports } from '../ports/crash-reports.ts';
import { ToldQuarantine } from '../shard/told-quarantine.ts';
import type { ToShard } from '../shard-messages.ts';
import { nobodyFailed } from './cluster-steps.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const [hi, lo] = [123, 456];
const crashAt = (offset: number, counter = 1): CrashNote => {
  return { kind: 'record', hi, lo, topicId: topicId('id-of-in'), partition: 0, offset, counter };
};

/** What a node finds in its notes when it starts. */
function found(crash: CrashNote): CrashReports & { readonly toldCount: number } {
  const reports = {
    pending: [crash] as readonly CrashNote[],
    toldCount: 0,
    told() {
      reports.pending = [];
      reports.toldCount++;
    },
  };
  return reports;
}

/** What the shards of a node know of quarantine. */
function toldTo({ shards }: VirtualNode): unknown[] {
  return shards.map(({ received }) => {
    const all = new ToldQuarantine();
    for (const message of received as ToShard[]) if (message.kind === 'quarantine') all.add(message);
    return all.index === 0 ? null : all.units.map((unit) => ({ ...unit, before: unit.before && shown(unit.before) }));
  });
}

const shown = (before: unknown) => (before as PartitionEnds).list();

async function restartWith(cluster: VirtualCluster, id: string, crash: CrashNote) {
  await cluster.kill(cluster.node(id));
  const crashes = found(crash);
  const node = await cluster.start(id as never, { crashes });
  await cluster.until(`${id} has a session`, () => node.control.session !== null, 60_000);
  return crashes;
}

test('two nodes that ended at one record quarantine its user; every shard knows, also of nodes that start later', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('in', 2);
  await cluster.startAll();
  const first = await restartWith(cluster, 'n1', crashAt(7));
  assert.deepEqual([first.toldCount, first.pending], [1, []]);
  assert.deepEqual(cluster.node('n1').control.status().table.quarantined, []);
  await restartWith(cluster, 'n2', crashAt(8));
  assert.deepEqual(cluster.node('n2').control.status().table.quarantined, [], 'another record');
  await restartWith(cluster, 'n3', crashAt(7));
  const isKnown = ({ control }: VirtualNode) => control.status().table.quarantined.length === 1;
  await cluster.until('every table shows it', () => cluster.nodes.every(isKnown));
  const quarantined = [{ hi, lo, before: null }];
  await cluster.until('every shard knows', () =>
    cluster.nodes.every((node) => toldTo(node).every((told) => told !== null)),
  );
  for (const node of cluster.nodes) assert.deepEqual(toldTo(node), [quarantined, quarantined], node.id);
  await cluster.kill(cluster.node('n1'));
  const later = await cluster.start('n1' as never);
  await cluster.until('n1 has a session', () => later.control.session !== null, 60_000);
  assert.deepEqual(toldTo(later), [quarantined, quarantined]);
  nobodyFailed(cluster);
});

test('an operator releases it from where the input ends now', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('in', 2);
  await cluster.startAll();
  await cluster.until('the topic is known', () => cluster.node('n1').control.table.topicNamed('in') !== undefined);
  const lift = () => cluster.settle(cluster.node('n3').control.admin({ kind: 'liftQuarantine', hi, lo }, 2_000));
  assert.equal((await lift()).code, 'REFUSED', 'it is in no quarantine');
  await restartWith(cluster, 'n1', crashAt(7));
  await restartWith(cluster, 'n2', crashAt(7));
  assert.equal((await lift()).code, 'OK');
  const before = [0, 1].map((partition) => ({ topicId: topicId('id-of-in'), partition, offset: 100 }));
  const isReleased = (node: VirtualNode) => JSON.stringify(toldTo(node)[1]) === JSON.stringify([{ hi, lo, before }]);
  await cluster.until('every shard knows', () => cluster.nodes.every(isReleased));
  assert.deepEqual(cluster.node('n2').control.status().table.quarantined, []);
  nobodyFailed(cluster);
});

test('a topic that no job reads any more, and the log does not have, hinders no release; one that is read does', async () => {
  const cluster = new VirtualCluster();
  for (const topic of ['in', 'old']) cluster.topics.create(topic, 1);
  const gone = new Set(['in', 'old']);
  const endOffsets = async (topic: string) => {
    if (gone.has(topic)) throw new Error('no such topic');
    return [100];
  };
  Object.defineProperty(cluster.topics, 'log', { value: { ...cluster.topics.log, endOffsets } });
  await cluster.startAll();
  await cluster.until('the topic is known', () => cluster.leader?.control.table.topicNamed('old') !== undefined);
  cluster.topics.topics.delete('old');
  for (const id of ['n1', 'n2', 'n3']) await restartWith(cluster, id, crashAt(7));
  await cluster.until('a leader', () => cluster.leader !== undefined);
  const lift = () => cluster.settle(cluster.leader!.control.admin({ kind: 'liftQuarantine', hi, lo }, 2_000));
  assert.equal((await lift()).code, 'RETRY');
  gone.delete('in');
  assert.equal((await lift()).code, 'OK');
  const before = [{ topicId: topicId('id-of-in'), partition: 0, offset: 100 }];
  const isReleased = (node: VirtualNode) => JSON.stringify(toldTo(node)[1]) === JSON.stringify([{ hi, lo, before }]);
  await cluster.until('every shard knows', () => cluster.nodes.every(isReleased));
  nobodyFailed(cluster);
});

test('a release that took long to ask where the input ends gives way to a quarantine that began meanwhile', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('in', 1);
  let end = 100;
  const held: ((ends: number[]) => void)[] = [];
  let isSlow = true;
  const endOffsets = () => (isSlow ? new Promise<number[]>((resolve) => held.push(resolve)) : Promise.resolve([end]));
  Object.defineProperty(cluster.topics, 'log', { value: { ...cluster.topics.log, endOffsets } });
  await cluster.startAll();
  await cluster.until('the topic is known', () => cluster.node('n1').control.table.topicNamed('in') !== undefined);
  const leader = cluster.leader!;
  const followers = cluster.ids.filter((id) => id !== leader.id);
  for (const id of followers) await restartWith(cluster, id, crashAt(7));
  const lift = () => cluster.settle(leader.control.admin({ kind: 'liftQuarantine', hi, lo }, 140_000));
  const late = lift();
  await cluster.until('it asks', () => held.length === 1);
  isSlow = false;
  assert.equal((await lift()).code, 'OK');
  for (const id of followers) await restartWith(cluster, id, crashAt(120));
  end = 130;
  held[0]!([100]);
  assert.equal((await late).code, 'OK', 'it asks again');
  const before = [{ topicId: topicId('id-of-in'), partition: 0, offset: 130 }];
  const isReleased = (node: VirtualNode) => JSON.stringify(toldTo(node)[1]) === JSON.stringify([{ hi, lo, before }]);
  await cluster.until('every shard knows', () => cluster.nodes.every(isReleased));
  nobodyFailed(cluster);
});

test('a store of another history is a warning about letters, if there are users in quarantine', async () => {
  for (const isAny of [false, true]) {
    const warned: string[] = [];
    const logger: Logger = { ...silentLogger, child: () => logger, warn: (text) => void warned.push(text) };
    const cluster = new VirtualCluster({ logger });
    await cluster.startAll();
    if (isAny) for (const id of ['n1', 'n2']) await restartWith(cluster, id, crashAt(7));
    Object.assign(cluster.storeLife, { generation: 'generation-b', continues: false });
    cluster.node('n3').shards[0]!.say({ kind: 'generationSeen', generationId: 'generation-b' });
    await cluster.until('logged', () => cluster.node('n3').control.table.generation === 2, 10_000);
    assert.equal(warned.filter((text) => text.includes('what was buried until now')).length, Number(isAny));
  }
});

test('a node that can not remember what it has told goes on, and tells it again to no effect', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  let tries = 0;
  const told = (): void => {
    tries++;
    throw new Error('the disk is full');
  };
  for (const expected of [1, 2]) {
    await cluster.kill(cluster.node('n1'));
    const node = await cluster.start('n1' as never, { crashes: { pending: [crashAt(7)], told } });
    await cluster.until('n1 has a session', () => node.control.session !== null, 60_000);
    assert.equal(tries, expected);
    assert.equal(node.control.table.quarantine.crashes.length, 1);
  }
  nobodyFailed(cluster);
});
