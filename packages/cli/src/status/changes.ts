import type { StatusDocument } from '@holdfast/node';
import { exitCodes } from '../exit-codes.ts';

/** What counts as a change for a watcher that isn't a terminal: states, never figures, which always move. */
export function changeKey({ cluster, nodes }: StatusDocument): string {
  const reasons = cluster.reasons.map(({ code, node }) => `${code}/${node ?? ''}`);
  const rows = nodes.map(({ id, reachable, member, raft, session }) => [id, reachable, member, raft.role, session.id]);
  return JSON.stringify([cluster.health, cluster.leader, cluster.term, cluster.quorum, reasons, rows]);
}

/** Exit code of a command that reports health. */
export function healthExit({ cluster }: StatusDocument): number {
  if (cluster.health === 'ok') return exitCodes.ok;
  return cluster.health === 'degraded' ? exitCodes.degraded : exitCodes.unhealthy;
}

/** Whether so many nodes have joined, answer, may hold leases, and all is well. */
export function isEstablished(status: StatusDocument, nodes: number): boolean {
  const ready = status.nodes.filter(
    ({ reachable, member, session }) => reachable && member === 'alive' && session.id !== null,
  );
  return ready.length >= nodes && status.cluster.health === 'ok';
}
