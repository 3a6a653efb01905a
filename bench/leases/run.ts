import { mkdirSync } from 'node:fs';
import type { Figure } from '../run.ts';
import { fullTable } from './full-table.ts';
import { LeaseCluster } from './lease-cluster.ts';
import { deadNode, type Loaded, latency, leaderChange, load, restore, snapshot } from './parts.ts';
import { isMet, targetTable } from './targets.ts';

const parts: Readonly<Record<string, (loaded: Loaded) => Promise<Figure[]>>> = {
  latency: (loaded) => latency(loaded, 5),
  'leader-change': leaderChange,
  'dead-node': deadNode,
  snapshot,
  // After `dead-node`, which leaves a node down, and `snapshot`, which takes away the log that it would need.
  restore,
  'full-table': fullTable,
};

/**
 * The control plane at a million units, on three processes with synced logs. `HOLDFAST_BENCH_UNITS` makes it smaller,
 * `HOLDFAST_BENCH_PARTS` (comma-separated) shorter: grants are always measured, since all else needs them;
 * `HOLDFAST_BENCH_PROFILE` names a folder for CPU profiles.
 */
export async function leases(): Promise<Figure[]> {
  const units = Number(process.env.HOLDFAST_BENCH_UNITS ?? 1_000_000);
  const chosen = process.env.HOLDFAST_BENCH_PARTS?.split(',') ?? Object.keys(parts);
  const unknown = chosen.filter((part) => part !== 'grants' && !Object.hasOwn(parts, part));
  if (unknown.length > 0)
    throw new Error(`unknown part ${unknown.join(', ')}; known: ${Object.keys(parts).join(', ')}`);
  const profileDir = process.env.HOLDFAST_BENCH_PROFILE ?? null;
  if (profileDir !== null) mkdirSync(profileDir, { recursive: true });
  const cluster = await LeaseCluster.start({ sessionTtlMs: 6_000, snapshotEntries: 4_000, profileDir });
  try {
    let next = 0;
    const loaded: Loaded = {
      cluster,
      units,
      take: (count) => (next += count) - count,
    };
    const figures = await load(loaded);
    for (const [name, part] of Object.entries(parts)) {
      if (chosen.includes(name)) figures.push(...(await part(loaded)));
    }
    console.log(`\n${targetTable(figures)}\n`);
    const missed = figures.filter((figure) => isMet(figure) === false);
    console.log(missed.length === 0 ? 'every target is met' : `not met: ${missed.map(({ name }) => name).join(', ')}`);
    return figures;
  } finally {
    await cluster.dispose();
  }
}
