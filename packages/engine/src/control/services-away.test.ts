import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLeaseOptions, type ServiceName } from '@holdfast/lease';
import { silentLogger } from '@holdfast/model';
import { nobodyFailed } from './cluster-steps.test.ts';
import { ServiceWatch } from './service-watch.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.test.ts';

const { serviceAwayMs, renewEveryMs, holderStopMs, sessionTtlMs, leaderWaitFactor } = defaultLeaseOptions;
/** From the cut: the last renewal that counts, and the loss of the session after it. */
const stopsWithinMs = serviceAwayMs + renewEveryMs + holderStopMs + 500;
const expiresWithinMs = serviceAwayMs + renewEveryMs + sessionTtlMs * leaderWaitFactor + 500;

/** A cluster whose nodes are cut off from services by `cut`, and back by `heal`. */
async function founded(ids?: string[]) {
  const cluster = new VirtualCluster({}, ids);
  cluster.topics.create('in', 6);
  const away = new Set<string>();
  const watchOf = (id: string): ServiceWatch => {
    const ask = (service: ServiceName) => async (): Promise<void> => {
      if (away.has(`${id} ${service}`)) throw new Error('no way there');
    };
    return new ServiceWatch({ log: ask('log'), store: ask('store') }, cluster.time, silentLogger);
  };
  for (const id of cluster.ids) await cluster.start(id, { services: watchOf(id) });
  await cluster.until('sessions', () =>
    cluster.nodes.every(({ control }) => control.liveSessions().length === cluster.ids.length),
  );
  // Until it is known of the others that they have what one may lack.
  await cluster.time.run(serviceAwayMs + renewEveryMs);
  return {
    cluster,
    cut: (node: VirtualNode, service: ServiceName) => void away.add(`${node.id} ${service}`),
    heal: () => away.clear(),
    watchOf,
  };
}

const sessionsAt = ({ control }: VirtualNode): string[] => control.liveSessions().map((info) => info.nodeId);

for (const service of ['log', 'store'] as const)
  test(`a node that lacks the ${service}, which the others have, loses its session, and gets another with it`, async () => {
    const { cluster, cut, heal } = await founded();
    const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
    const [other] = cluster.nodes.filter((node) => node !== victim);
    cut(victim, service);
    await cluster.time.run(serviceAwayMs + holderStopMs - renewEveryMs - 500);
    assert.deepEqual(victim.lost, [], 'a short absence is ridden out');
    await cluster.until('it stops', () => victim.lost.length > 0, stopsWithinMs);
    assert.match(
      victim.lost[0]!,
      new RegExp(`the (input )?${service} has not answered the node for \\d+ s, and others have it`),
    );
    await cluster.until('it ends', () => sessionsAt(other!).length === 2, expiresWithinMs);
    const readers = () => other!.control.status().table.partitions.map(({ reader }) => reader?.nodeId);
    await cluster.until('read by the others', () => readers().every((id) => id !== undefined && id !== victim.id), 500);

    victim.shards = cluster.shards(victim.id, cluster.nextCounter(victim.id));
    victim.control.restartSession(2, victim.shards);
    await cluster.time.run(30_000);
    assert.equal(victim.control.session, null, 'it is given nothing while it can not do its work');
    heal();
    await cluster.time.run(10_000);
    assert.equal(victim.control.session, null, 'the service may come and go');
    await cluster.until('a session', () => victim.control.session !== null, 10_000);
    await cluster.time.run(60_000);
    assert.equal(victim.lost.length, 1);
  });

test('where a service is away from all, no session ends, also not while it comes back to one after the other', async () => {
  const { cluster, cut, heal } = await founded();
  for (const node of cluster.nodes) cut(node, 'store');
  await cluster.time.run(120_000);
  nobodyFailed(cluster);
  const last = cluster.nodes[0]!;
  heal();
  cut(last, 'store');
  await cluster.time.run(serviceAwayMs + holderStopMs - renewEveryMs - 500);
  heal();
  await cluster.time.run(60_000);
  nobodyFailed(cluster);
});

test('a leader that lacks a service hands its office on, once, to a voter that has a session', async () => {
  const { cluster, cut } = await founded(['n1', 'n2', 'n3', 'n4', 'n5']);
  const leader = cluster.leader!;
  const [next] = cluster.nodes.filter((node) => node !== leader);
  for (const node of [leader, next!]) cut(node, 'store');
  const led: string[] = [];
  const lacking = [leader, next!];
  await cluster.until('both stop', () => lacking.every(({ lost }) => lost.length > 0), stopsWithinMs);
  for (let looks = 0; looks < 600; looks++) {
    await cluster.time.run(100);
    const now = cluster.leader?.id;
    if (now !== undefined && now !== led.at(-1)) led.push(now);
  }
  assert.equal(led.filter((id) => id !== leader.id).length, 1, led.join());
  assert.ok(!lacking.some(({ id }) => id === led.at(-1)));
});

test('a process that asks without a service is given no session, also by a leader that is new', async () => {
  const { cluster, cut, watchOf, heal } = await founded();
  const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
  // Has seen no session lost, as that of a process which waited for log and store, and lost one again, before it could ask.
  const services = watchOf(victim.id);
  cut(victim, 'store');
  await cluster.until('it stops', () => victim.lost.length > 0, stopsWithinMs);
  await cluster.kill(victim);
  const old = cluster.leader!;
  await cluster.until('it ends', () => sessionsAt(old).length === 2, 20_000);
  const again = await cluster.start(victim.id, { services });
  const stays = async (): Promise<void> => {
    for (let looks = 0; looks < 300; looks++) {
      await cluster.time.run(100);
      assert.equal(again.control.session, null);
    }
  };
  await stays();
  const heir = cluster.nodes.find((node) => node !== old && node !== again)!;
  await cluster.settle(old.control.admin({ kind: 'transferLeader', to: heir.id }, 5_000));
  await cluster.until('another leads', () => heir.control.isLeader);
  await stays();
  heal();
  await cluster.until('a session', () => again.control.session !== null, 5_000);
});

test('before the first founding, a leader that lacks the store lets the other voters lead, one after the other', async () => {
  const cluster = new VirtualCluster();
  const having = new Set<string>();
  for (const id of cluster.ids) {
    const ask = async (): Promise<void> => {
      if (!having.has(id)) throw new Error('no way there');
    };
    const services = new ServiceWatch({ log: async () => {}, store: ask }, cluster.time, silentLogger);
    const whole = cluster.storeLife.store;
    const highestEpoch = (): Promise<number> => ask().then(() => whole.highestEpoch());
    await cluster.start(id, { services, store: { ...whole, highestEpoch } });
  }
  const led: string[] = [];
  const look = async (forMs: number): Promise<void> => {
    for (let looks = 0; looks < forMs / 100; looks++) {
      await cluster.time.run(100);
      const now = cluster.leader?.id;
      if (now !== undefined && now !== led.at(-1)) led.push(now);
    }
  };
  await look(4 * serviceAwayMs + 5_000);
  assert.deepEqual([led.length >= 4 && led.length <= 5, new Set(led).size], [true, 3], led.join());
  assert.ok(cluster.nodes.every(({ control }) => control.table.epochBase < 0));
  // Two steps from who leads now.
  having.add(led.at(-2)!);
  await look(2 * serviceAwayMs + 5_000);
  assert.equal(led.at(-1), [...having][0]);
  assert.ok(sessionsAt(cluster.leader!).includes(led.at(-1)!));
  nobodyFailed(cluster);
});
