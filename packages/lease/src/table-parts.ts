import type { PartitionRegistry } from './partition-registry.ts';
import type { QuarantineRegistry } from './quarantine-registry.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { UnitSlots } from './unit-slots.ts';

/** Counters and marks of the table; all but the index are also in the buffer's header. */
export interface TableMarks {
  tableIndex: number;
  /** -1 before the first record */
  epochBase: number;
  uncleanCount: number;
  uncleanIndex: number;
  forcedCount: number;
  generation: number;
  generationIndex: number;
  /** Of the latest entry that put a unit into quarantine or released one. */
  quarantineIndex: number;
  /** '' before the first is known */
  storeGeneration: string;
  /** Those before it, oldest first, as many as are remembered. */
  formerGenerations: readonly string[];
}

/** All that a table consists of. */
export interface TableParts {
  readonly marks: TableMarks;
  readonly sessions: SessionRegistry;
  readonly partitions: PartitionRegistry;
  readonly slots: UnitSlots;
  readonly quarantine: QuarantineRegistry;
}
