import { type CrashNote, crashesPerReportMax } from '@holdfast/lease';
import type { PartitionId } from '@holdfast/model';

export type { CrashNote };

/** Ranges under suspicion that a node remembers, the latest: it finds one per shard and crash. */
export const suspectsKeptMax = 256;

/** Records of one partition, in one of which a process ended. */
export interface SuspectRange extends PartitionId {
  readonly first: number;
  readonly last: number;
}

/** What a node knows of the ends of its processes (PROTOCOL.md 6.2). Kept over its starts; plain JSON data. */
export interface CrashKnowledge {
  /** Not told to the leader yet, oldest first. */
  readonly crashes: readonly CrashNote[];
  readonly suspects: readonly SuspectRange[];
}

export const nothingKnown: CrashKnowledge = Object.freeze({ crashes: [], suspects: [] });

/**
 * Notes that an end left make it wiser: each is to be told; one of a frame makes its range suspect, so that the next end in
 * it is at one record.
 */
export function learn(known: CrashKnowledge, notes: readonly CrashNote[]): CrashKnowledge {
  const crashes = [...known.crashes, ...notes];
  const suspects = [...known.suspects];
  for (const note of notes) {
    if (note.kind !== 'frame') continue;
    const { topicId, partition, first, last } = note;
    suspects.push({ topicId, partition, first, last });
  }
  return { crashes: latest(crashes), suspects: suspects.slice(-suspectsKeptMax) };
}

/** As many as one report takes, frames the first to go: what is named is what a verdict needs. */
function latest(crashes: readonly CrashNote[]): CrashNote[] {
  let surplus = crashes.length - crashesPerReportMax;
  const kept = crashes.filter(({ kind }) => kind !== 'frame' || surplus-- <= 0);
  return kept.slice(-crashesPerReportMax);
}

export function isSuspect(
  suspects: readonly SuspectRange[],
  { topicId, partition }: PartitionId,
  firstOffset: number,
  lastOffset: number,
): boolean {
  for (const range of suspects) {
    const isThere = range.partition === partition && range.topicId === topicId;
    if (isThere && range.first <= lastOffset && range.last >= firstOffset) return true;
  }
  return false;
}
