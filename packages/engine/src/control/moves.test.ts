import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardMove } from '../shard-messages.ts';
import { acquire, nobodyFailed, unitsOf } from './cluster-steps.test.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

/** Units leased to one shard, as quadruples. */
function held({ control }: VirtualNode, shard: number): number[][] {
  const units: number[][] = [];
  control.table.visitUnits((hi, lo, session, at, index) => {
    if (session !== control.session || at !== shard) return;
    const epoch = control.table.epochBase + index;
    units.push([hi, lo, Math.floor(epoch / 2 ** 32), epoch >>> 0]);
  });
  return units;
}

const loadOf = (node: VirtualNode): number => node.shards.reduce((sum, _, shard) => sum + held(node, shard).length, 0);

/** Shards that do at once what they are told: hand over the first units they have. */
function obey(cluster: VirtualCluster): void {
  const plans = new WeakMap<object, ShardMove[]>();
  const step = (): void => {
    for (const node of cluster.nodes) {
      for (const [shard, port] of node.shards.entries()) {
        for (const message of port.received.splice(0)) {
          if (message.kind === 'handOver')
            plans.set(
              port,
              message.plan.map((move) => ({ ...move })),
            );
          if (message.kind !== 'moveUnit') continue;
          const unit = held(node, shard).find(([hi, lo]) => hi === message.hi && lo === message.lo);
          assert.ok(unit, 'the order names a unit that is held here');
          const { session, shard: target } = message;
          port.say({ kind: 'move', session, shard: target, units: Uint32Array.from(unit) });
        }
        const [first] = plans.get(port) ?? [];
        if (first === undefined || first.count === 0) continue;
        const units = held(node, shard).slice(0, first.count);
        port.say({ kind: 'move', session: first.session, shard: first.shard, units: Uint32Array.from(units.flat()) });
        plans.get(port)!.shift();
      }
    }
    cluster.time.setTimer(20, step);
  };
  step();
}

test('a unit is moved by hand: its holder hands it over, every table shows it, nobody goes back', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  obey(cluster);
  const [hi, lo] = [123, 456];
  await acquire(cluster, cluster.node('n2'), Uint32Array.of(hi, lo));
  const before = cluster.node('n1').control.unitInfo(hi, lo)!;
  const to = ['n1', 'n3'].find((id) => id !== before.nodeId)!;
  const ask = (nodeId: string, shard: number | null) =>
    cluster.settle(cluster.node('n2').control.admin({ kind: 'moveUnit', hi, lo, nodeId, shard }, 2_000));
  assert.equal((await ask('n9', null)).code, 'REFUSED');
  assert.equal((await ask(to, 9)).code, 'REFUSED');
  assert.equal((await ask(to, 1)).code, 'OK');
  await cluster.until(
    'moved',
    () => cluster.nodes.every(({ control }) => control.unitInfo(hi, lo)!.nodeId === to),
    500,
  );
  const after = cluster.node('n1').control.unitInfo(hi, lo)!;
  assert.equal(after.shard, 1);
  assert.ok(after.epoch > before.epoch);
  assert.equal(cluster.node('n1').control.table.uncleanCount, 0);
  assert.equal((await ask(to, 1)).code, 'OK', 'already there');
  nobodyFailed(cluster);
});

test('a node is drained, also over a change of leader; resumed, it gets its share again', async () => {
  const cluster = new VirtualCluster();
  cluster.topics.create('access-log', 6);
  await cluster.startAll();
  obey(cluster);
  for (const { id } of cluster.nodes)
    await acquire(cluster, cluster.node(id), unitsOf(3_000, 1 + 10_000 * Number(id[1])));
  await cluster.time.run(6_000);
  const leader = cluster.leader!;
  const [drained, other] = cluster.nodes.filter((node) => node !== leader) as [VirtualNode, VirtualNode];
  assert.ok(loadOf(drained) > 2_000);
  const setDraining = (draining: boolean) =>
    cluster.settle(other.control.admin({ kind: 'setDraining', nodeId: drained.id, draining }, 20_000));
  assert.equal((await setDraining(true)).code, 'OK');
  await cluster.time.run(1_500);
  assert.ok(loadOf(drained) > 0, 'a drain has a budget too');
  await cluster.settle(leader.control.stop(1_000));
  cluster.network.isolate(leader.id);
  cluster.up.delete(leader.id);
  const reads = () => drained.control.status().table.partitions.filter(({ reader }) => reader?.nodeId === drained.id);
  await cluster.until('drained', () => loadOf(drained) === 0 && reads().length === 0, 40_000);
  await cluster.until('all is elsewhere', () => loadOf(other) === other.control.table.unitCount, 15_000);
  const last = await cluster.settle(
    drained.control.admin({ kind: 'setDraining', nodeId: other.id, draining: true }, 5_000),
  );
  assert.equal(last.code, 'REFUSED');
  assert.equal((await setDraining(false)).code, 'OK');
  await cluster.time.run(10_000);
  assert.equal(loadOf(drained), 0, 'nothing is moved for balance while a known node is away');
  await cluster.start(leader.id);
  await cluster.until('even again', () => loadOf(drained) > 1_600, 30_000);
  assert.equal(drained.control.table.uncleanCount, 0);
});

test('a node that joins gets its share in bounded rounds', async () => {
  const cluster = new VirtualCluster();
  await cluster.startAll();
  const [first, last] = [cluster.node('n1'), cluster.node('n3')];
  await cluster.settle(last.control.stop(5_000));
  cluster.up.delete(last.id);
  await cluster.until('two are left', () => first.control.liveSessions().length === 2);
  obey(cluster);
  await acquire(cluster, first, unitsOf(8_000));
  await acquire(cluster, cluster.node('n2'), unitsOf(8_000, 100_000));
  const third = await cluster.start(cluster.ids[2]!);
  await cluster.until(
    'the third is open',
    () => third.control.session !== null && first.control.liveSessions().length === 3,
  );
  assert.equal(loadOf(third), 0);
  const startMs = cluster.time.monotonicMs();
  await cluster.until('even', () => loadOf(third) > 4_800, 30_000);
  const tookMs = cluster.time.monotonicMs() - startMs;
  // A third of the units has to move, 9 % a second, after the cluster has settled.
  assert.ok(tookMs > 7_000 && tookMs < 13_000, `${tookMs} ms`);
  await cluster.time.run(5_000);
  const loads = cluster.nodes.map(loadOf);
  await cluster.time.run(20_000);
  assert.deepEqual(cluster.nodes.map(loadOf), loads, 'what is even stays');
  nobodyFailed(cluster);
});

test('the leader says why it pauses: a node that gossip misses, a session that is silent', async () => {
  let isMissed = false;
  const cluster = new VirtualCluster({ balancingPaused: () => isMissed });
  await cluster.startAll();
  const pauseOf = () => cluster.leader!.control.status().balancing!.pause;
  await cluster.until('it waits for the cluster to settle', () => pauseOf() === 'SETTLING', 500);
  await cluster.until('nothing is in the way', () => pauseOf() === null);
  isMissed = true;
  await cluster.until('gossip misses a node', () => pauseOf() === 'NODE_UNREACHABLE', 500);
  isMissed = false;
  await cluster.until('it is back', () => pauseOf() === null, 500);
  const silent = cluster.nodes.find(({ control }) => !control.isLeader)!;
  cluster.network.isolate(silent.id);
  // Two renewals are missed before its session's time to live is over.
  await cluster.until('silent', () => pauseOf() === 'NODE_SILENT', 7_500);
  assert.equal(cluster.leader!.control.liveSessions().length, 3);
  cluster.network.heal(silent.id);
  await cluster.until('heard again', () => pauseOf() === null, 5_000);
  nobodyFailed(cluster);
});
