import type { LeaseEpoch, NodeId, UnitMap } from '@holdfast/model';
import { type CommandOf, type CrashNote, decided, type LeaseDecision, refused } from './commands.ts';
import type { LeaseTable } from './lease-table.ts';
import {
  crashesPerReportMax,
  faultyUnitsPerEntryMax,
  partitionEndsMax,
  quarantinedUnitsMax,
  topicIdLengthMax,
} from './limits.ts';
import { unitsDue } from './quarantine-rule.ts';
import type { LeaseRecord } from './records.ts';

/**
 * What the leader makes of crashes and releases (PROTOCOL.md 6).
 * @param onTheirWay units that are on their way into quarantine
 */
export function decideQuarantine(
  table: LeaseTable,
  command: CommandOf<'reportCrashes' | 'quarantineDue' | 'liftQuarantine'>,
  onTheirWay: Pick<UnitMap, 'size' | 'get'>,
): LeaseDecision {
  switch (command.kind) {
    case 'reportCrashes': {
      const { nodeId, crashes } = command;
      if (crashes.length > crashesPerReportMax) return invalid(`${crashes.length} crashes in one report`);
      const wrong = crashes.find((crash) => !isMeant(crash));
      if (wrong !== undefined) return invalid(`a crash at ${JSON.stringify(wrong)}`);
      const isKnown = (crash: CrashNote) =>
        crash.kind !== 'frame' &&
        (table.quarantine.isQuarantined(crash.hi, crash.lo) || onTheirWay.get(crash.hi, crash.lo) >= 0);
      // What else was under way when a quarantined unit's record ended a process has no part in it.
      const explained = new Set(crashes.filter(isKnown).map(({ counter }) => counter));
      const left = crashes.filter(({ counter }) => !explained.has(counter));
      return decided(left.map((crash) => recordOf(crash, nodeId)));
    }
    case 'quarantineDue': {
      const { crashes } = table.quarantine;
      const due = unitsDue(crashes, [...table.nodes()].length, roomIn(table, onTheirWay.size));
      return decided(due.map(({ hi, lo }): LeaseRecord => ({ kind: 'unitQuarantined', hi, lo })));
    }
    case 'liftQuarantine': {
      const { hi, lo, before } = command;
      if (before.length > partitionEndsMax) return invalid(`the ends of ${before.length} partitions`);
      if (!table.quarantine.isQuarantined(hi, lo)) return refused({ code: 'NOT_QUARANTINED' });
      return decided([{ kind: 'quarantineLifted', hi, lo, before }]);
    }
  }
}

/**
 * Each unit goes into quarantine and its lease ends, in one entry: whoever is granted it next knows that it is to bury the
 * records that the holder before could not keep (PROTOCOL.md 5.6).
 * @param own units and epochs that are the asker's, with nothing about them in flight
 * @param onTheirWay units that are on their way into quarantine: the room that they take is gone, else the lease of a unit
 * could end by force in an entry that no longer finds room for its quarantine
 */
export function decideFaulty(
  table: LeaseTable,
  own: { readonly units: Uint32Array; readonly epochs: Float64Array; readonly skipped: number; readonly stale: number },
  onTheirWay: number,
): LeaseDecision {
  const records: LeaseRecord[] = [];
  let room = roomIn(table, onTheirWay);
  let proposed = 0;
  for (const [i, epoch] of own.epochs.slice(0, faultyUnitsPerEntryMax).entries()) {
    const [hi, lo] = [own.units[2 * i]!, own.units[2 * i + 1]!];
    const isKnown = table.quarantine.isQuarantined(hi, lo);
    if (!isKnown && room-- <= 0) continue;
    // Also where it is known, and void then, unless its release is on the way.
    records.push({ kind: 'unitQuarantined', hi, lo });
    records.push({ kind: 'forceReleased', hi, lo, epoch: epoch as LeaseEpoch });
    proposed++;
  }
  if (proposed === 0 && own.epochs.length > 0)
    return refused({ code: 'QUARANTINE_FULL', unitsMax: quarantinedUnitsMax });
  return decided(records, { proposed, skipped: own.skipped, stale: own.stale });
}

function isMeant(crash: CrashNote | null): boolean {
  if (typeof crash !== 'object' || crash === null) return false;
  const { topicId, partition, counter } = crash;
  if (typeof topicId !== 'string' || topicId.length > topicIdLengthMax) return false;
  const numbers = crash.kind === 'frame' ? [crash.first, crash.last] : [crash.hi, crash.lo, crash.offset];
  if (![partition, counter, ...numbers].every((value) => Number.isSafeInteger(value) && value >= 0)) return false;
  return crash.kind === 'frame' ? crash.first <= crash.last : crash.hi <= 0xffff_ffff && crash.lo <= 0xffff_ffff;
}

function recordOf(crash: CrashNote, nodeId: NodeId): LeaseRecord {
  if (crash.kind === 'frame') return { ...crash, kind: 'frameCrashed', nodeId };
  return { ...crash, kind: 'unitCrashed', nodeId };
}

function roomIn({ quarantine }: LeaseTable, onTheirWay: number): number {
  return quarantinedUnitsMax - quarantine.quarantinedCount - onTheirWay;
}

function invalid(problem: string): LeaseDecision {
  return refused({ code: 'INVALID_COMMAND', problem });
}
