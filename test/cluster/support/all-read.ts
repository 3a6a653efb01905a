import type { StatusDocument } from '@holdfast/node';

/** A shard tells what it knows that often at least. */
const toldWithinMs = 1_000;

/** Whether all that was in the log at `sinceMs` (of `performance.now()`) is read: that no lag was found later than that. */
export function isAllRead(status: StatusDocument | null, sinceMs: number): boolean {
  if (status === null || status.ingest.lagRecords !== '0' || status.ingest.lagAgeMs === null) return false;
  return performance.now() - status.ingest.lagAgeMs - toldWithinMs > sinceMs;
}

/** And applied: nothing is parked or under way any more. */
export function isAllApplied(status: StatusDocument | null, sinceMs: number): boolean {
  return isAllRead(status, sinceMs) && status!.nodes.every(({ queue }) => queue === 0);
}
