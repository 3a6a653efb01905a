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
  let count = 1;
  let lastSeen = timeUnixMs;
  const known = values.value.indexOf(value);
  if (known >= 0) {
    count += values.count[known]!;
    lastSeen = Math.max(lastSeen, values.lastSeen[known]!);
    if (known === 0 || values.lastSeen[known - 1]! >= lastSeen) {
      values.count[known] = count;
      values.lastSeen[known] = lastSeen;
      return;
    }
    values.value.splice(known, 1);
    values.count.splice(known, 1);
    values.lastSeen.splice(known, 1);
  }
  let rank = values.value.length;
  while (rank > 0 && values.lastSeen[rank - 1]! < lastSeen) rank--;
  if (rank >= recentValuesMax) return;
  values.value.splice(rank, 0, value);
  values.count.splice(rank, 0, count);
  values.lastSeen.splice(rank, 0, lastSeen);
  if (values.value.length <= recentValuesMax) return;
  values.value.pop();
  values.count.pop();
  values.lastSeen.pop();
}
