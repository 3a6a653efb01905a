import type { PartitionId, Unit } from '@holdfast/model';
import type { ProcessCrash, UnitCrashed } from './records.ts';

export type Position = PartitionId & { readonly offset: number };

export function isSameRecord(a: Position, b: Position): boolean {
  return a.offset === b.offset && a.partition === b.partition && a.topicId === b.topicId;
}

/** Of one process: each has a counter of its own. */
export function isSameEnd(a: ProcessCrash, b: ProcessCrash): boolean {
  return a.nodeId === b.nodeId && a.counter === b.counter;
}

/** One shard was at the same when the same process ended. */
export function isSameCrash(a: ProcessCrash, b: ProcessCrash): boolean {
  if (!isSameEnd(a, b)) return false;
  if (a.kind === 'unitCrashed') return b.kind === 'unitCrashed' && isSameRecord(a, b);
  const isFrame = b.kind === 'frameCrashed' && a.first === b.first && a.last === b.last;
  return isFrame && a.partition === b.partition && a.topicId === b.topicId;
}

/** The shard may have been at this record. */
export function mayBeAt(crash: ProcessCrash, position: Position): boolean {
  if (crash.kind === 'unitCrashed') return isSameRecord(crash, position);
  if (position.offset < crash.first || position.offset > crash.last) return false;
  return crash.partition === position.partition && crash.topicId === position.topicId;
}

export function isOfUnit(other: Unit, hi: number, lo: number): boolean {
  return other.hi === hi && other.lo === lo;
}

/** Where records are named that were of the unit. */
export function recordsOf(crashes: readonly ProcessCrash[], hi: number, lo: number): UnitCrashed[] {
  return crashes.filter((crash) => crash.kind === 'unitCrashed').filter((crash) => isOfUnit(crash, hi, lo));
}

/** Crashes without those that may be of a unit's named records, and without what else was under way when these processes ended. */
export function unexplained(crashes: readonly ProcessCrash[], hi: number, lo: number): ProcessCrash[] {
  const records = recordsOf(crashes, hi, lo);
  const explained = crashes.filter((crash) => records.some((record) => mayBeAt(crash, record)));
  return crashes.filter((crash) => !explained.some((other) => isSameEnd(other, crash)));
}
