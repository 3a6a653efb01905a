import { type CommandOf, decided, type LeaseDecision, refused } from './commands.ts';
import type { LeaseTable } from './lease-table.ts';
import { crashesPerReportMax } from './limits.ts';
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

function invalid(problem: string): LeaseDecision {
  return refused({ code: 'INVALID_COMMAND', problem });
}
