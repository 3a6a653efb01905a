import { hashUnit, unitHashOut } from '@holdfast/model';
import type { StatusDocument } from '@holdfast/node';
import { AdminClient } from '@holdfast/transport-grpc';
import { Cluster } from '../../test/cluster/support/cluster.ts';
import { feed } from '../../test/cluster/support/feeder.ts';
import { pause, waitFor } from '../../test/cluster/support/wait.ts';
import type { Figure } from '../run.ts';

const movesByHand = Number(process.env.HOLDFAST_BENCH_MOVES ?? 1_200);
/** So few that each has records under way at any time: else a move would delay nobody. */
const usersMovedByHand = 30;
const usersDrained = 120;
const recordsPerSecond = 2_000;
const moveEveryMs = 50;
/** Under load before the first move: a process that has just started runs code that isn't compiled yet. */
const warmUpMs = 15_000;
const drainsPerNode = 4;

const nodes = ['n1', 'n2', 'n3'];

/** Of all shards: users' waits for their next holder, from the first record sent back until all those are applied. */
function pauses(status: StatusDocument): { count: number; p50Ms: number; p99Ms: number } {
  const known = status.nodes.flatMap(({ shards }) => shards).flatMap(({ movePause }) => movePause ?? []);
  return {
    count: known.reduce((sum, { count }) => sum + Number(count), 0),
    p50Ms: Math.max(0, ...known.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(0, ...known.map(({ p99Ms }) => p99Ms)),
  };
}

/** A loaded cluster of three processes, on which `act` moves users; what that made them wait. */
async function measured(
  part: string,
  users: number,
  act: (cluster: Cluster, client: AdminClient) => Promise<void>,
): Promise<Figure[]> {
  const cluster = await Cluster.create({ nodes: 3, partitions: 4, settings: { backup: { interval: '5s' } } });
  try {
    for (const node of cluster.nodes) node.start();
    const inStatus = (what: string, holds: (status: StatusDocument) => boolean) =>
      waitFor(what, 60_000, async () => {
        const status = await cluster.status();
        return status !== null && holds(status) ? status : null;
      });
    const held = (status: StatusDocument) => status.nodes.reduce((sum, { leases }) => sum + (leases.count ?? 0), 0);
    await inStatus('three sessions', ({ nodes: all }) => all.filter(({ session }) => session.id !== null).length === 3);
    let done = () => {};
    const atMostUntil = new Promise<void>((resolve) => {
      done = resolve;
    });
    const overMs = 600_000;
    const records = (overMs / 1000) * recordsPerSecond;
    const feeding = feed(cluster, { seed: 5, records, users, overMs, atMostUntil });
    feeding.catch(() => {});
    await inStatus('all users to be held', (status) => held(status) >= users * 0.95);
    const client = new AdminClient(cluster.addresses[0]!, { timeoutMs: 10_000 });
    try {
      await pause(warmUpMs);
      await act(cluster, client);
    } finally {
      client.close();
    }
    done();
    await feeding;
    const end = await inStatus('everything to be read', ({ ingest }) => ingest.lagRecords === '0');
    const { count, p50Ms, p99Ms } = pauses(end);
    return [
      { name: `${part}/pauses`, value: count, unit: 'users whose records were on their way' },
      { name: `${part}/pause-p50`, value: p50Ms, unit: 'ms, of the shard with the longest' },
      { name: `${part}/pause-p99`, value: p99Ms, unit: 'ms, of the shard with the longest' },
    ];
  } finally {
    await cluster.dispose();
  }
}

function unitOf(user: string): string {
  const key = new TextEncoder().encode(user);
  hashUnit(key, 0, key.length);
  return [unitHashOut.hi, unitHashOut.lo].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

/** One user after the other is moved to the next node. */
async function byHand(_: Cluster, client: AdminClient): Promise<void> {
  for (let i = 0; i < movesByHand; i++) {
    const user = `user-${String(i % usersMovedByHand).padStart(6, '0')}`;
    const node = nodes[(i + Math.floor(i / usersMovedByHand)) % nodes.length]!;
    await client.act({ kind: 'moveUnit', unit: unitOf(user), node });
    await pause(moveEveryMs);
  }
}

/** Each node hands over all that it holds, and takes its share again; some times over. */
async function byDrain(cluster: Cluster, client: AdminClient): Promise<void> {
  for (const node of Array.from({ length: drainsPerNode }, () => nodes).flat()) {
    await client.act({ kind: 'drainNode', node });
    await waitFor(`${node} to be drained`, 60_000, async () => {
      const status = await cluster.status();
      return status?.nodes.find(({ id }) => id === node)?.leases.count === 0 || null;
    });
    await client.act({ kind: 'resumeNode', node });
  }
}

/** What a planned move costs a user in time: three processes on this machine, every user with records under way. */
export async function moves(): Promise<Figure[]> {
  return [
    ...(await measured('by-hand', usersMovedByHand, byHand)),
    ...(await measured('by-drain', usersDrained, byDrain)),
  ];
}
