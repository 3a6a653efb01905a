import type { Unit } from '@holdfast/model';
import { isOfUnit, isSameRecord, mayBeAt, type Position, unexplained } from './process-crashes.ts';
import type { FrameCrashed, ProcessCrash, UnitCrashed } from './records.ts';

/** The part of the nodes that a record must have crashed, and the least number of crashes whatever the part. */
const nodesRatio = 0.25;
const crashesMin = 2;
/**
 * So many times the crashes wanted are enough also where they were of too few nodes, or where another record was there each
 * time: the other nodes may be away for long, and those that are there would crash for ever.
 */
const persistentFactor = 3;

/** A record that may have ended processes. */
interface Suspect {
  /** The crashes that name it; none: it lies in frames, and is named nowhere. */
  readonly named: readonly UnitCrashed[];
  /** Ends of processes at which it is named, or lies in the frame of a shard. */
  readonly ends: ReadonlySet<string>;
}

/**
 * Units to quarantine (PROTOCOL.md 6.3): one of their records ended the processes of a quarter of the nodes, and of two at
 * least. The same record each time: a node that is killed in its work has always been at somebody's record, and most often
 * at the busiest user's, but hardly ever twice at one record, since that is where it was only for microseconds. And one end
 * has one cause: a record is taken only if it was named at more ends without each other one that its processes were at, or
 * may have been by their frames, than that one was at without it.
 * @param nodeCount nodes that the table knows
 * @param unitsMax there is no room for more
 */
export function unitsDue(crashes: readonly ProcessCrash[], nodeCount: number, unitsMax: number): Unit[] {
  const wanted = Math.max(crashesMin, Math.ceil(nodeCount * nodesRatio));
  const due: Unit[] = [];
  let left = crashes;
  while (due.length < unitsMax) {
    const next = nextDue(left, wanted, nodeCount);
    if (next === null) break;
    const { hi, lo } = next;
    due.push({ hi, lo });
    left = unexplained(left, hi, lo);
  }
  return due;
}

function nextDue(crashes: readonly ProcessCrash[], wanted: number, nodeCount: number): Unit | null {
  const records = byRecord(crashes.filter((crash) => crash.kind === 'unitCrashed'));
  if (!records.some((named) => named.length >= wanted)) return null;
  const frames = crashes.filter((crash) => crash.kind === 'frameCrashed');
  const endsAt = (among: readonly ProcessCrash[], position: Position) =>
    new Set(among.filter((crash) => mayBeAt(crash, position)).map(endOf));
  const suspects: Suspect[] = records.map((named) => ({ named, ends: endsAt(crashes, named[0]!) }));
  // No record lies in more frames than the first one of some frame.
  for (const start of startsOf(frames)) suspects.push({ named: [], ends: endsAt(frames, start) });
  suspects.sort((a, b) => b.ends.size - a.ends.size || b.named.length - a.named.length);
  return suspects.find((suspect) => isDue(suspect, suspects, wanted, nodeCount))?.named[0] ?? null;
}

/** Each once. */
function startsOf(frames: readonly FrameCrashed[]): Position[] {
  const starts = new Map<string, Position>();
  for (const { topicId, partition, first } of frames)
    starts.set(`${topicId}/${partition}/${first}`, { topicId, partition, offset: first });
  return [...starts.values()];
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

function isDue({ named, ends }: Suspect, all: readonly Suspect[], wanted: number, nodeCount: number): boolean {
  if (named.length < wanted) return false;
  if (named.length >= persistentFactor * wanted) return true;
  if (new Set(named.map(({ nodeId }) => nodeId)).size < Math.min(wanted, nodeCount)) return false;
  const { hi, lo } = named[0]!;
  const isRival = (other: Suspect): boolean => {
    if (other.named.some((crash) => isOfUnit(crash, hi, lo))) return false;
    const alone = named.filter((own) => !other.ends.has(endOf(own)));
    if (alone.length === named.length) return false;
    // Where the other wasn't. To lie in a frame speaks for the other only: it is no proof against anybody.
    return [...other.ends].filter((end) => !ends.has(end)).length >= alone.length;
  };
  return !all.some((other) => isRival(other));
}

const endOf = ({ nodeId, counter }: ProcessCrash): string => `${nodeId}#${counter}`;
