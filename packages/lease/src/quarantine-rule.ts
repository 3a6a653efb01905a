import type { NodeId, Unit } from '@holdfast/model';
import { isSameRecord } from './quarantine-registry.ts';
import type { UnitCrashed } from './records.ts';

/** The part of the nodes that a record must have crashed, and the least number of crashes whatever the part. */
const nodesRatio = 0.25;
const crashesMin = 2;
/**
 * So many times the crashes wanted are enough also where they were of too few nodes: the others may be away for long, and
 * those that are there would crash for ever.
 */
const sameNodesFactor = 3;

/**
 * Units to quarantine (PROTOCOL.md 6.3): one of their records ended the processes of a quarter of the nodes, and of two at
 * least. The same record each time: a node that is killed in its work has always been at somebody's record, and most often
 * at the busiest user's, but hardly ever twice at one record, since that is where it was only for microseconds.
 * @param nodeCount nodes that the table knows
 */
export function unitsDue(crashes: readonly UnitCrashed[], nodeCount: number): Unit[] {
  const wanted = Math.max(crashesMin, Math.ceil(nodeCount * nodesRatio));
  const due: Unit[] = [];
  for (const [at, crash] of crashes.entries()) {
    if (crashes.findIndex((other) => isSameRecord(other, crash)) < at) continue;
    const same = crashes.filter((other) => isSameRecord(other, crash));
    const nodes = new Set<NodeId>(same.map(({ nodeId }) => nodeId)).size;
    const isSeenByMany = same.length >= wanted && nodes >= Math.min(wanted, nodeCount);
    if (!isSeenByMany && same.length < sameNodesFactor * wanted) continue;
    if (!due.some(({ hi, lo }) => hi === crash.hi && lo === crash.lo)) due.push({ hi: crash.hi, lo: crash.lo });
  }
  return due;
}
