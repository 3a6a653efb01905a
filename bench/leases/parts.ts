import { defaultLeaseOptions, LeaseCoordinator, LeaseTable } from '@holdfast/lease';
import { pause, waitFor } from '../../test/cluster/support/wait.ts';
import type { Figure } from '../run.ts';
import { type AskResult, type NodeState, type SteadyResult, unitHi, unitLo } from './bench-messages.ts';
import type { LeaseCluster, LeaseNode } from './lease-cluster.ts';

/** Units asked for and not granted yet, per asking shard. */
const windowUnits = 16_000;
const newKeysPerSecond = 10_000;

/** A cluster that holds units 0 to `units`, and what comes after them still free. */
export interface Loaded {
  readonly cluster: LeaseCluster;
  readonly units: number;
  /** Takes numbers of units that nobody has asked for yet. */
  take(count: number): number;
}

async function states(nodes: readonly LeaseNode[]): Promise<NodeState[]> {
  return Promise.all(nodes.map((node) => node.state()));
}

async function cpuSeconds(nodes: readonly LeaseNode[]): Promise<number> {
  return (await states(nodes)).reduce((sum, state) => sum + state.cpuSeconds, 0);
}

async function resetLoop(nodes: readonly LeaseNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.request('resetLoop')));
}

/** How long the control threads' loops stood still at most, and how much of that was their own work. */
async function loopFigures(part: string, nodes: readonly LeaseNode[], who: string): Promise<Figure[]> {
  const all = await states(nodes);
  const stopMs = Math.max(...all.map((state) => state.loopStopMsMax));
  const busyMs = Math.max(...all.map((state) => state.loopBusyMsMax));
  return [
    { name: `${part}/loop-stop`, value: stopMs, unit: `ms, ${who}` },
    { name: `${part}/loop-busy`, value: busyMs, unit: `ms of processor, ${who}` },
  ];
}

/** A million leases: one follower's shard asks, and counts what it reads in its own table. */
export async function load({ cluster, units, take }: Loaded): Promise<Figure[]> {
  const asker = await cluster.follower();
  await resetLoop(cluster.up);
  const cpuBefore = await cpuSeconds(cluster.up);
  const asked = { from: take(units), count: units, window: windowUnits };
  const { granted, seconds, repeated } = await asker.request<AskResult>('ask', asked);
  await cluster.caughtUp();
  const cpu = (await cpuSeconds(cluster.up)) - cpuBefore;
  const [leader] = (await states(cluster.up)).filter((state) => state.isLeader);
  return [
    { name: 'grants/rate', value: granted / seconds, unit: 'grants/s' },
    { name: 'grants/cpu', value: (cpu / granted) * 1e6, unit: 'CPU-s per million grants' },
    { name: 'grants/repeated', value: repeated, unit: 'units asked for again' },
    { name: 'grants/entries', value: leader!.tableIndex, unit: 'Raft entries' },
    ...(await loopFigures('grants', cluster.up, 'longest of three')),
    { name: 'table/bytes-per-unit', value: leader!.tableBytes / leader!.units, unit: 'bytes/unit' },
    { name: 'table/rss', value: leader!.rssBytes / 2 ** 20, unit: 'MiB of the leader' },
  ];
}

/** New keys at an even rate, over a table that is full already. */
export async function latency({ cluster, take }: Loaded, seconds: number): Promise<Figure[]> {
  const asker = await cluster.follower();
  await resetLoop(cluster.up);
  const cpuBefore = await cpuSeconds(cluster.up);
  const indexBefore = (await asker.state()).tableIndex;
  const result = await steady(asker, take(newKeysPerSecond * seconds), newKeysPerSecond, seconds);
  const cpu = (await cpuSeconds(cluster.up)) - cpuBefore;
  return [
    { name: 'latency/p50', value: result.p50Ms, unit: 'ms at 10,000 keys/s' },
    { name: 'latency/p99', value: result.p99Ms, unit: 'ms at 10,000 keys/s' },
    { name: 'latency/max', value: result.maxMs, unit: 'ms at 10,000 keys/s' },
    { name: 'latency/asker-late', value: result.lateMsMax, unit: 'ms, the generator at worst' },
    {
      name: 'latency/entries',
      value: ((await asker.state()).tableIndex - indexBefore) / seconds,
      unit: 'Raft entries/s',
    },
    { name: 'latency/cpu', value: (cpu / result.granted) * 1e6, unit: 'CPU-s per million grants' },
    ...(await loopFigures('latency', cluster.up, 'longest of three')),
  ];
}

function steady(asker: LeaseNode, from: number, perSecond: number, seconds: number): Promise<SteadyResult> {
  return asker.request<SteadyResult>('steady', { from, perSecond, seconds });
}

/** The leadership is handed over: who holds what stays, and the new leader grants at once. */
export async function leaderChange({ cluster, take }: Loaded): Promise<Figure[]> {
  await cluster.caughtUp();
  const old = await cluster.leader();
  const to = cluster.up.find((node) => node !== old)!;
  const before = await digests(cluster);
  await resetLoop(cluster.up);
  const startMs = performance.now();
  await old.request('transferLeader', { to: to.id });
  const leader = await cluster.leader(old.id);
  const ledMs = performance.now() - startMs;
  await leader.request<AskResult>('ask', { from: take(1), count: 1, window: windowUnits });
  const grantedMs = performance.now() - startMs;
  const loops = await loopFigures('leader-change', cluster.up, 'longest of three');
  const after = await digests(cluster);
  return [
    { name: 'leader-change/hand-over', value: ledMs, unit: 'ms until a new leader decides' },
    { name: 'leader-change/first-grant', value: grantedMs, unit: 'ms' },
    ...loops,
    // One unit is new: the first grant of the new leader.
    { name: 'leader-change/leases-changed', value: changed(before, after) - 1, unit: 'leases' },
    ...coordinatorWork(),
  ];
}

/** Session -> units and a sum over them, equal in all tables. */
async function digests(cluster: LeaseCluster): Promise<Map<string, { units: number; sum: string }>> {
  await cluster.caughtUp();
  const all = await Promise.all(cluster.up.map((node) => node.request<Record<string, string>>('digest')));
  const texts = new Set(all.map((digest) => JSON.stringify(Object.entries(digest).sort())));
  if (texts.size !== 1) throw new Error(`tables differ: ${[...texts].join(' ')}`);
  return new Map(
    Object.entries(all[0]!).map(([session, text]) => [session, { units: Number(text.split('/')[0]), sum: text }]),
  );
}

/** At least so many leases differ: all of a session whose number of units is the same and whose sum isn't. */
function changed(before: Awaited<ReturnType<typeof digests>>, after: Awaited<ReturnType<typeof digests>>): number {
  let count = 0;
  for (const [session, { units, sum }] of before) {
    const now = after.get(session) ?? { units: 0, sum: '' };
    if (now.sum !== sum) count += Math.abs(now.units - units) || units;
  }
  return count;
}

/** What a new leader does before its first decision, over tables of two sizes. */
function coordinatorWork(): Figure[] {
  return [10_000, 1_000_000].map((units) => {
    const table = filledTable(units);
    const rounds = 2_000;
    const startMs = performance.now();
    for (let i = 0; i < rounds; i++) {
      const coordinator = new LeaseCoordinator(table, defaultLeaseOptions, i);
      coordinator.tick(i, { tickLateMs: 0, quorumConfirmedAtMs: i, balancingPaused: false });
    }
    const value = ((performance.now() - startMs) / rounds) * 1000;
    return { name: `leader-change/start-at-${units}`, value, unit: 'us for a coordinator and its first tick' };
  });
}

function filledTable(units: number): LeaseTable {
  const table = new LeaseTable();
  table.replay({ kind: 'epochBase', base: 0 }, 1);
  const incarnation = { uuid: 'u', counter: 1, shards: 1, addresses: ['a', 'b'], version: '1' };
  for (let i = 2; i <= 4; i++) {
    table.replay({ kind: 'sessionOpened', nodeId: `n${i}` as never, ...incarnation }, i);
  }
  table.publishIndex(4);
  for (let from = 0; from < units; from += 1_000) {
    const pairs = Uint32Array.from({ length: 2_000 }, (_, i) =>
      i % 2 === 0 ? unitHi(from + i / 2) : unitLo(from + (i - 1) / 2),
    );
    const index = table.tableIndex + 1;
    const session = (2 + (index % 3)) as never;
    table.replay({ kind: 'granted', session, shard: 0 as never, units: pairs }, index);
    table.publishIndex(index);
  }
  return table;
}

/** Of the new keys beside the end of a session; so many that it outlasts any end, which then ends it. */
const trickle = { perSecond: 200, seconds: 60 };

/**
 * A node dies: when its session has ended, the two others ask for all that it held. From before the kill until those have
 * holders again new keys trickle in: their longest wait shows whether the end of a session stops the group.
 */
export async function deadNode({ cluster, units, take }: Loaded): Promise<Figure[]> {
  const victim = await cluster.follower();
  const leader = await cluster.leader();
  const { session } = await victim.state();
  const heirs = cluster.up.filter((node) => node !== victim);
  let held = 0;
  for (const [share, heir] of heirs.entries()) {
    held += await heir.request<number>('collect', { from: 0, count: units, session, share, of: heirs.length });
  }
  const asker = heirs.find((heir) => heir !== leader)!;
  const trickled = steady(asker, take(trickle.perSecond * trickle.seconds), trickle.perSecond, trickle.seconds);
  await pause(1_000);
  await resetLoop(heirs);
  const killedMs = performance.now();
  await victim.kill();
  const asked = heirs.map((heir) => heir.request<AskResult>('askCollected', { session, window: windowUnits }));
  const ended = waitFor('the end of the dead session', 60_000, async () => {
    const { sessions } = await heirs[0]!.state();
    return sessions.every((info) => info.session !== session) ? performance.now() - killedMs : null;
  });
  const endedMs = await ended;
  const results = await Promise.all(asked);
  const seconds = Math.max(...results.map((result) => result.seconds));
  const loops = await loopFigures('dead-node', heirs, 'longest of two');
  await asker.request('endSteady');
  const meanwhile = await trickled;
  const afterwards = await steady(asker, take(200), 200, 1);
  return [
    { name: 'dead-node/units', value: held, unit: 'units without a holder' },
    { name: 'dead-node/session-end', value: endedMs, unit: 'ms after the kill' },
    { name: 'dead-node/new-holders', value: seconds * 1000, unit: 'ms after the session end' },
    { name: 'dead-node/repeated', value: results.reduce((sum, r) => sum + r.repeated, 0), unit: 'units asked again' },
    ...loops,
    { name: 'dead-node/latency-meanwhile', value: meanwhile.maxMs, unit: 'ms, longest at 200 keys/s' },
    { name: 'dead-node/latency-meanwhile-p99', value: meanwhile.p99Ms, unit: 'ms at 200 keys/s' },
    { name: 'dead-node/asker-late', value: meanwhile.lateMsMax, unit: 'ms, the generator at worst' },
    { name: 'dead-node/latency-after', value: afterwards.p99Ms, unit: 'ms p99 at 200 keys/s' },
  ];
}

/** Entries until every node that is up has taken a snapshot of the whole table, while keys are granted. */
export async function snapshot({ cluster, take }: Loaded): Promise<Figure[]> {
  const asker = await cluster.follower();
  const nodes = cluster.up;
  const before = (await states(nodes)).map((state) => state.snapshots);
  await resetLoop(nodes);
  const p99s: number[] = [];
  const isTaken = async (): Promise<boolean> => (await states(nodes)).every((state, i) => state.snapshots > before[i]!);
  for (let round = 0; round < 30 && !(await isTaken()); round++) {
    p99s.push((await steady(asker, take(newKeysPerSecond), newKeysPerSecond, 1)).maxMs);
  }
  if (!(await isTaken())) throw new Error('no snapshot was taken');
  return [
    ...(await loopFigures('snapshot', nodes, 'with 10,000 new keys/s')),
    { name: 'snapshot/grant-max', value: Math.max(...p99s), unit: 'ms, longest grant meanwhile' },
  ];
}

/** The node that is down comes back, far behind: the leader sends it the whole table. */
export async function restore({ cluster }: Loaded): Promise<Figure[]> {
  const node = cluster.nodes.find((other) => !other.isUp)!;
  const others = cluster.up;
  const target = Math.max(...(await states(others)).map((state) => state.tableIndex));
  await resetLoop(others);
  const startMs = performance.now();
  await node.start();
  // What starting takes isn't meant: no session hangs on it yet.
  await node.request('resetLoop');
  await cluster.introduce();
  await waitFor('the restored table', 60_000, async () => (await node.state()).tableIndex >= target || null, 10);
  const ms = performance.now() - startMs;
  return [
    { name: 'restore/time', value: ms, unit: 'ms from the process start' },
    ...(await loopFigures('restore', [node], 'the one that restores')),
    ...(await loopFigures('restore-others', others, 'longest of two')),
  ];
}
