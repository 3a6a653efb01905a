import { waitFor } from '../../cluster/support/wait.ts';
import type { ChaosCluster } from '../harness/chaos-cluster.ts';

/** What a node takes another one, or itself, for; null when it doesn't say. */
export async function stateBy(cluster: ChaosCluster, by: string, id: string): Promise<string | null> {
  return (await cluster.status(by))?.nodes.find((row) => row.id === id)?.member ?? null;
}

/** I20: every node sees all alive. */
export async function trueViews(cluster: ChaosCluster, deadlineMs: number): Promise<void> {
  const ids = cluster.nodes.map(({ id }) => id);
  await waitFor('true views', deadlineMs, async () => {
    for (const by of ids) for (const id of ids) if ((await stateBy(cluster, by, id)) !== 'alive') return null;
    return true;
  });
}
