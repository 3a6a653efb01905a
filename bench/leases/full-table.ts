import type { Figure } from '../run.ts';
import type { AskResult } from './bench-messages.ts';
import { LeaseCluster } from './lease-cluster.ts';

const unitsMax = 50_000;
/** So many times the capacity is asked for. */
const times = 3;
/** Fits into what is kept free of the table, so that what is asked for at once can be granted at once. */
const windowUnits = 2_000;

/**
 * A cluster of its own whose table is small: a shard asks for three times what it holds, all of which it gets, since
 * holders release what has been idle longest.
 */
export async function fullTable(): Promise<Figure[]> {
  const cluster = await LeaseCluster.start({
    sessionTtlMs: 12_000,
    snapshotEntries: 4_000,
    unitsMax,
    profileDir: null,
  });
  try {
    const asker = await cluster.follower();
    const count = times * unitsMax;
    const asked = { from: 0, count, window: windowUnits };
    const { granted, seconds, repeated } = await asker.request<AskResult>('ask', asked);
    await cluster.caughtUp();
    const states = await Promise.all(cluster.up.map((node) => node.state()));
    const most = Math.max(...states.map(({ unitsMost }) => unitsMost));
    let oldestHeld = 0;
    for (const { session } of states) {
      const wanted = { from: 0, count: unitsMax, session, share: 0, of: 1 };
      oldestHeld += await asker.request<number>('collect', wanted);
    }
    return [
      { name: 'full-table/granted', value: granted, unit: `units, at most ${unitsMax} at once` },
      { name: 'full-table/rate', value: granted / seconds, unit: 'grants/s' },
      { name: 'full-table/repeated', value: repeated, unit: 'units asked for again' },
      { name: 'full-table/over', value: Math.max(0, most - unitsMax), unit: 'units above the capacity' },
      { name: 'full-table/fullest', value: most / unitsMax, unit: 'of the capacity' },
      { name: 'full-table/oldest-held', value: oldestHeld, unit: 'of the first units still held' },
    ];
  } finally {
    await cluster.dispose();
  }
}
