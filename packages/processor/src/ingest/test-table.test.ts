import type { KeyLocator } from '../job.ts';
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

/** A record of one byte, which is its user. */
export const value = Uint8Array.of(65);

export const locator = {
  keyBytes: value,
  keyStart: 0,
  keyEnd: 1,
  reason: '',
  locate: () => 0,
} as unknown as KeyLocator;

/** That record, alone, at the offset 0. */
export const batchOfOne = {
  count: 1,
  bytes: value,
  nextOffset: 1,
  offsets: Float64Array.of(0),
  timestampsUnixMs: Float64Array.of(0),
  keyStarts: Int32Array.of(-1),
  keyEnds: Int32Array.of(-1),
  valueStarts: Int32Array.of(0),
  valueEnds: Int32Array.of(1),
};
