import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster } from '../../test/cluster/support/cluster.ts';
import { feed } from '../../test/cluster/support/feeder.ts';
import { waitFor } from '../../test/cluster/support/wait.ts';
import type { Figure } from '../run.ts';
import { sharesOf } from './cpu-profile.ts';
import { cpuSeconds } from './cpu-seconds.ts';

const records = Number(process.env.HOLDFAST_BENCH_RECORDS ?? 300_000);
const users = 20_000;

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly profileDir: string | null;
}

/**
 * The clock runs from when all nodes may read, the log still empty, until all records are made, appended at once, applied,
 * backed up and committed. The CPU is that of the nodes alone.
 */
async function run(nodes: number, profiled: boolean): Promise<Run> {
  const cluster = await Cluster.create({ nodes, partitions: 4, settings: { backup: { interval: '2s' } } });
  const profileDir = profiled ? join(cluster.dir, 'profiles') : null;
  if (profileDir !== null) mkdirSync(profileDir);
  try {
    const args = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, '--cpu-prof-interval=1000'];
    for (const node of cluster.nodes) node.start(args);
    await waitFor('a cluster', 60_000, async () => {
      const status = await cluster.status();
      return (status?.cluster.leader != null && status.nodes.every(({ session }) => session.id !== null)) || null;
    });
    const cpuBefore = cluster.nodes.map((node) => cpuSeconds(node.pid!));
    const startMs = performance.now();
    await feed(cluster, { seed: 7, records, users, overMs: 1 });
    await cluster.waitUntilCommitted(600_000);
    const seconds = (performance.now() - startMs) / 1000;
    const cpu = cluster.nodes.reduce((sum, node, i) => sum + cpuSeconds(node.pid!) - cpuBefore[i]!, 0);
    for (const node of cluster.nodes) await node.signal('SIGTERM');
    return { seconds, cpuSeconds: cpu, profileDir };
  } finally {
    await cluster.dispose(profileDir !== null);
  }
}

/** The whole job on the embedded log and store, on one node and on three, and where the time goes. */
export async function pipeline(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const nodes of [1, 3]) {
    const name = nodes === 1 ? 'one-node' : 'three-nodes';
    const { seconds, cpuSeconds: cpu } = await run(nodes, false);
    figures.push({ name: `${name}/throughput`, value: records / seconds, unit: 'records/s' });
    figures.push({ name: `${name}/cpu`, value: (cpu / records) * 1e6, unit: 'CPU-s per million records' });
    const profiled = await run(nodes, true);
    figures.push(...sharesOf(name, profiled.profileDir!));
  }
  return figures;
}
