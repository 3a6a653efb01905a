import type { LeaseView } from '../lease-view.ts';

/** A table in which every unit has one holder, under epoch 5, at index 10. */
export function tableOfOne(session: number) {
  return {
    session,
    shard: 0,
    epoch: 5,
    tableIndex: () => 10,
    uncleanCount: () => 0,
    uncleanIndex: () => 0,
    forcedCount: () => 0,
    generationIndex: () => 0,
    quarantineIndex: () => 0,
    epochBase: () => 0,
    generation: () => 1,
    isLive: () => true,
    visitSome: () => 0,
    lookup: () => true,
  } satisfies LeaseView;
}
