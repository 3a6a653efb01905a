import type { Position } from './position.ts';

/** A moment in a user's history: time, then partition, then offset. Plain columns keep many of them small. */
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

/** Index at which a moment belongs in a list that has the latest first. */
export function rankOf(moments: Moments, time: number, at: Position): number {
  let i = moments.time.length;
  while (i > 0 && isLater(moments, i - 1, time, at)) i--;
  return i;
}

export function insertMoment(moments: Moments, i: number, time: number, at: Position): void {
  moments.time.splice(i, 0, time);
  moments.partition.splice(i, 0, at.partition);
  moments.offset.splice(i, 0, at.offset);
}

export function removeMoment(moments: Moments, i: number): void {
  moments.time.splice(i, 1);
  moments.partition.splice(i, 1);
  moments.offset.splice(i, 1);
}

/** Keeps the latest `countMax` moments, latest first. The result doesn't depend on the order of adding. */
export function addLatest(moments: Moments, time: number, at: Position, countMax: number): void {
  const i = rankOf(moments, time, at);
  if (i >= countMax) return;
  insertMoment(moments, i, time, at);
  if (moments.time.length > countMax) removeMoment(moments, countMax);
}
