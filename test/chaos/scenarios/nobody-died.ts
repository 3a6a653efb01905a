import type { ChaosCluster } from '../harness/chaos-cluster.ts';

/** How often any node took another for dead, by their logs. */
export function deathsTold(cluster: ChaosCluster): number {
  return cluster.nodes.reduce((sum, { id }) => sum + cluster.said(id, 'member died'), 0);
}

/** I18: nobody who lives has been declared dead since. @throws Error who says so */
export function nobodyDied(cluster: ChaosCluster, before = 0): void {
  const deaths = deathsTold(cluster) - before;
  if (deaths > 0) throw new Error(`I18: living nodes were declared dead ${deaths} times`);
}
