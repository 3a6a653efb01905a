import type { ClusterWorld } from './cluster-world.ts';
import { bentFaultKind } from './fault-kinds.ts';

/** Users are drawn by Zipf's law, the first one most often. */
const busierUsers = 3;

/**
 * A stored row can't be read from now on: all of what is stored, or, in every other round, what stands behind epoch and
 * seq. The one of the round before is mended.
 */
export function bendRow(world: ClusterWorld, round: number): void {
  const { store, plan, records } = world;
  const { life } = store;
  for (const unit of life.bent.keys()) life.bent.delete(unit);
  // Busy enough to be asked for again, and not so busy that it is most of the load.
  const user = plan.users.slice(busierUsers + round).find(({ unitKey }) => life.rows.get(unitKey)?.row != null);
  if (user === undefined) return;
  life.bent.set(user.unitKey, round % 2 === 0 ? 'all' : 'row');
  records.quarantine.onBent(user.unitKey);
  world.faultHappened(bentFaultKind, `${user.unitKey} in ${life.generationId}`);
}
