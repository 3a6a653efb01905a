import type { PartitionId, Unit } from '@holdfast/model';
import type { UnitCrashed } from './records.ts';

type Position = PartitionId & { readonly offset: number };

export function isSameRecord(a: Position, b: Position): boolean {
  return a.offset === b.offset && a.partition === b.partition && a.topicId === b.topicId;
}

/** Of one process: each has a counter of its own. */
export function isSameEnd(a: UnitCrashed, b: UnitCrashed): boolean {
  return a.nodeId === b.nodeId && a.counter === b.counter;
}

export function isOfUnit(other: Unit, hi: number, lo: number): boolean {
  return other.hi === hi && other.lo === lo;
}

/** Crashes without those of a unit, and without what else was under way when these processes ended. */
export function unexplained(crashes: readonly UnitCrashed[], hi: number, lo: number): UnitCrashed[] {
  const explained = crashes.filter((crash) => isOfUnit(crash, hi, lo));
  return crashes.filter((crash) => !explained.some((other) => isSameEnd(other, crash)));
}
