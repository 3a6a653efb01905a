import type { StatusDocument } from '@holdfast/node';
import { pause } from '../../cluster/support/wait.ts';
import type { ChaosCluster } from '../harness/chaos-cluster.ts';

/** A leader ends a usual session 1.1 x 12 s after it heard of it last; the rest is for the entry. */
const endedWithinMs = 14_500;

/** Waits until a session that was missed until now has ended. @throws Error when one has, of these alone where there are some */
export async function sessionsStay(
  cluster: ChaosCluster,
  before: StatusDocument,
  ids: readonly string[] = [],
): Promise<void> {
  await pause(endedWithinMs);
  sameSessions(before, await cluster.whole(), ids);
}

/** @throws Error when a node of the first status has another session, or none, in the second */
export function sameSessions(before: StatusDocument, after: StatusDocument, ids: readonly string[] = []): void {
  for (const { id, session } of before.nodes) {
    if (ids.length > 0 && !ids.includes(id)) continue;
    if (after.nodes.find((row) => row.id === id)?.session.id !== session.id)
      throw new Error(`the session of ${id} ended`);
  }
}
