import { pause } from '../../cluster/support/wait.ts';
import type { ChaosCluster } from '../harness/chaos-cluster.ts';

/** Whoever was suspected until now has been cleared, or told dead: a suspicion takes 3 to 4 s, and probes before it. */
const toldWithinMs = 8_000;

/** How often any node took another for dead, by their logs. */
export function deathsTold(cluster: ChaosCluster): number {
  return cluster.nodes.reduce((sum, { id }) => sum + cluster.said(id, 'member died'), 0);
}

/** I18: nobody who lives has been declared dead since, nor will be for what was until now. @throws Error who says so */
export async function nobodyDies(cluster: ChaosCluster, before = 0): Promise<void> {
  await pause(toldWithinMs);
  nobodyDied(cluster, before);
}

/** As `nobodyDies`, when that time is over already. @throws Error who says so */
export function nobodyDied(cluster: ChaosCluster, before = 0): void {
  const deaths = deathsTold(cluster) - before;
  if (deaths > 0) throw new Error(`I18: living nodes were declared dead ${deaths} times`);
}
