import type { LeaseEpoch } from '@holdfast/model';
import { type CommandOf, decided, type LeaseDecision, refused } from './commands.ts';
import type { LeaseTable } from './lease-table.ts';
import { crashesPerReportMax, faultyUnitsPerEntryMax, quarantinedUnitsMax } from './limits.ts';
import { unitsDue } from './quarantine-rule.ts';
import type { LeaseRecord } from './records.ts';

/** What the leader makes of crashes and releases (PROTOCOL.md 6). */
export function decideQuarantine(
  table: LeaseTable,
  command: CommandOf<'reportCrashes' | 'quarantineDue' | 'liftQuarantine'>,
): LeaseDecision {
  switch (command.kind) {
    case 'reportCrashes': {
      const { nodeId, crashes } = command;
      if (crashes.length > crashesPerReportMax) return invalid(`${crashes.length} crashes in one report`);
      const wrong = crashes.find(({ hi, lo, partition, offset, counter }) =>
        [hi, lo, partition, offset, counter].some((value) => !Number.isSafeInteger(value) || value < 0),
      );
      if (wrong !== undefined) return invalid(`a crash at ${JSON.stringify(wrong)}`);
      return decided(crashes.map((crash): LeaseRecord => ({ ...crash, kind: 'unitCrashed', nodeId })));
    }
    case 'quarantineDue': {
      const { crashes, isFull } = table.quarantine;
      const due = isFull ? [] : unitsDue(crashes, [...table.nodes()].length);
      return decided(due.map(({ hi, lo }): LeaseRecord => ({ kind: 'unitQuarantined', hi, lo })));
    }
    case 'liftQuarantine': {
      const { hi, lo, before } = command;
      if (!table.quarantine.isQuarantined(hi, lo)) return refused({ code: 'NOT_QUARANTINED' });
      return decided([{ kind: 'quarantineLifted', hi, lo, before }]);
    }
  }
}

/**
 * Each unit goes into quarantine and its lease ends, in one entry: whoever is granted it next knows that it is to bury the
 * records that the holder before could not keep (PROTOCOL.md 5.6).
 * @param own units and epochs that are the asker's, with nothing about them in flight
 */
export function decideFaulty(
  { quarantine }: LeaseTable,
  own: { readonly units: Uint32Array; readonly epochs: Float64Array; readonly skipped: number; readonly stale: number },
): LeaseDecision {
  const records: LeaseRecord[] = [];
  let room = quarantinedUnitsMax - quarantine.quarantinedCount;
  let proposed = 0;
  for (const [i, epoch] of own.epochs.slice(0, faultyUnitsPerEntryMax).entries()) {
    const [hi, lo] = [own.units[2 * i]!, own.units[2 * i + 1]!];
    const isKnown = quarantine.isQuarantined(hi, lo);
    if (!isKnown && room-- <= 0) continue;
    if (!isKnown) records.push({ kind: 'unitQuarantined', hi, lo });
    records.push({ kind: 'forceReleased', hi, lo, epoch: epoch as LeaseEpoch });
    proposed++;
  }
  if (proposed === 0 && own.epochs.length > 0)
    return refused({ code: 'QUARANTINE_FULL', unitsMax: quarantinedUnitsMax });
  return decided(records, { proposed, skipped: own.skipped, stale: own.stale });
}

function invalid(problem: string): LeaseDecision {
  return refused({ code: 'INVALID_COMMAND', problem });
}
