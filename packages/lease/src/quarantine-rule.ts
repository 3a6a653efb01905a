import type { Unit } from '@holdfast/model';
import type { UnitCrashed } from './records.ts';
import { isOfUnit, isSameEnd, isSameRecord, unexplained } from './unit-crashes.ts';

/** The part of the nodes that a record must have crashed, and the least number of crashes whatever the part. */
const nodesRatio = 0.25;
const crashesMin = 2;
/**
 * So many times the crashes wanted are enough also where they were of too few nodes, or where another record was there each
 * time: the other nodes may be away for long, and those that are there would crash for ever.
 */
const persistentFactor = 3;

/**
 * Units to quarantine (PROTOCOL.md 6.3): one of their records ended the processes of a quarter of the nodes, and of two at
 * least. The same record each time: a node that is killed in its work has always been at somebody's record, and most often
 * at the busiest user's, but hardly ever twice at one record, since that is where it was only for microseconds. And one end
 * has one cause: of the records that the shards of a process were at, the one that more processes have ended at.
 * @param nodeCount nodes that the table knows
 */
export function unitsDue(crashes: readonly UnitCrashed[], nodeCount: number): Unit[] {
  const wanted = Math.max(crashesMin, Math.ceil(nodeCount * nodesRatio));
  const due: Unit[] = [];
  let left = crashes;
  for (;;) {
    const groups = byRecord(left).sort((a, b) => b.length - a.length);
    const next = groups.find((group) => isDue(group, groups, wanted, nodeCount));
    if (next === undefined) return due;
    const { hi, lo } = next[0]!;
    due.push({ hi, lo });
    left = unexplained(left, hi, lo);
  }
}

/** Each list isn't empty. */
function byRecord(crashes: readonly UnitCrashed[]): UnitCrashed[][] {
  const groups: UnitCrashed[][] = [];
  for (const crash of crashes) {
    const group = groups.find(([first]) => isSameRecord(first!, crash));
    if (group === undefined) groups.push([crash]);
    else group.push(crash);
  }
  return groups;
}

function isDue(group: UnitCrashed[], all: readonly UnitCrashed[][], wanted: number, nodeCount: number): boolean {
  if (group.length < wanted) return false;
  if (group.length >= persistentFactor * wanted) return true;
  if (new Set(group.map(({ nodeId }) => nodeId)).size < Math.min(wanted, nodeCount)) return false;
  const { hi, lo } = group[0]!;
  const isRival = (other: UnitCrashed[]): boolean =>
    !isOfUnit(other[0]!, hi, lo) &&
    other.length >= group.length &&
    other.some((crash) => group.some((own) => isSameEnd(own, crash)));
  return !all.some(isRival);
}
