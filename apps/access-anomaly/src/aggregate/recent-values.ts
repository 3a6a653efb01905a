import { insertBounded, replaceAhead } from './columns.ts';

/** The latest distinct values of something (networks, devices), latest first, with how often each came. */
export interface RecentValues {
  value: string[];
  /** Since the value entered the list. */
  count: number[];
  lastSeen: number[];
}

export const recentValuesMax = 10;

/** A value older than all of a full list leaves no trace: this list may depend on the order of arrival. */
export function addRecentValue(values: RecentValues, value: string, timeUnixMs: number): void {
  const known = values.value.indexOf(value);
  const lastSeen = known < 0 ? timeUnixMs : Math.max(timeUnixMs, values.lastSeen[known]!);
  let rank = known < 0 ? values.value.length : known;
  while (rank > 0 && values.lastSeen[rank - 1]! < lastSeen) rank--;
  if (known >= 0) {
    replaceAhead(values.count, known, rank, values.count[known]! + 1);
    replaceAhead(values.value, known, rank, value);
    replaceAhead(values.lastSeen, known, rank, lastSeen);
  } else if (rank < recentValuesMax) {
    values.value = insertBounded(values.value, rank, value, recentValuesMax);
    values.count = insertBounded(values.count, rank, 1, recentValuesMax);
    values.lastSeen = insertBounded(values.lastSeen, rank, lastSeen, recentValuesMax);
  }
}
