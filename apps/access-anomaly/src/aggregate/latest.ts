import { insertBounded } from './columns.ts';
import type { Position } from './position.ts';

/** Moments in a user's history: time, then partition, then offset. */
export interface Moments {
  time: number[];
  partition: number[];
  offset: number[];
}

/** Whether (time, position) is later than the moment at index i. */
export function isLater(moments: Moments, i: number, time: number, at: Position): boolean {
  if (time !== moments.time[i]) return time > moments.time[i]!;
  if (at.partition !== moments.partition[i]) return at.partition > moments.partition[i]!;
  return at.offset > moments.offset[i]!;
}

/** Index at which a moment belongs among the first `length` of a list that has the latest first. */
export function rankOf(moments: Moments, time: number, at: Position, length: number): number {
  let i = length;
  while (i > 0 && isLater(moments, i - 1, time, at)) i--;
  return i;
}

/** Keeps the latest `countMax` moments, latest first. The result doesn't depend on the order of adding. */
export function addLatest(moments: Moments, time: number, at: Position, countMax: number): void {
  const i = rankOf(moments, time, at, moments.time.length);
  if (i >= countMax) return;
  moments.time = insertBounded(moments.time, i, time, countMax);
  moments.partition = insertBounded(moments.partition, i, at.partition, countMax);
  moments.offset = insertBounded(moments.offset, i, at.offset, countMax);
}
