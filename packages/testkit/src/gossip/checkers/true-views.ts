import { isReachable } from '@holdfast/membership';
import type { VirtualCluster } from '../virtual-cluster.ts';

/** I20: where a view and the truth differ; null when all agree. Tombstones may be forgotten or never learned. */
export function viewDifference(cluster: VirtualCluster): string | null {
  for (const { id, state } of cluster.nodes) {
    if (state === null) continue;
    for (const node of cluster.nodes) {
      const shown = state.view.members.get(node.id);
      if (node.state === null) {
        if (shown !== undefined && isReachable(shown))
          return `${id} shows ${node.id}, which is gone, as ${shown.state}`;
        continue;
      }
      if (shown?.state !== 'alive') return `${id} shows ${node.id}, which is up, as ${shown?.state}`;
      if (shown.incarnation !== node.state.self.incarnation) return `${id} has an old word of ${node.id}`;
      if (shown.meta.version !== node.state.self.meta.version) return `${id} has an old meta of ${node.id}`;
    }
  }
  return null;
}
