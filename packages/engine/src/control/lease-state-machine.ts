import {
  decodeRecords,
  type EndedSession,
  type LeaseRecord,
  type LeaseTable,
  type ReplayOutcome,
} from '@holdfast/lease';
import type { RaftEntry } from '@holdfast/raft';
import type { Sliced } from './sliced.ts';
import type { StateMachine } from './state-machine.ts';

/** What a batch of applied entries changed, as far as this node has to act on it. */
export interface TableChange {
  readonly index: number;
  /** Sessions began, ended or are closing. */
  readonly sessions: boolean;
  readonly ended: readonly EndedSession[];
  /** Partitions or topics changed. */
  readonly partitions: boolean;
  /** A generation entry is among them. */
  readonly generation: boolean;
  /** Units were put into quarantine, or released. */
  readonly quarantine: boolean;
}

export interface LeaseStateMachineEvents {
  /** For the history of holders. */
  wallUnixMs?(): number;
  /** An entry was replayed: for the leader's coordinator. Not called for what a snapshot brings. */
  onEntry(index: number, records: readonly LeaseRecord[]): void;
  /** Once per batch, after the table's index was raised. */
  onChange(change: TableChange): void;
}

/** The lease table as Raft's state machine: committed records in, changes out, one notice per batch. */
export class LeaseStateMachine implements StateMachine {
  readonly table: LeaseTable;
  readonly #events: LeaseStateMachineEvents;
  #outcomes: ReplayOutcome[] = [];
  #liveFrom = Number.POSITIVE_INFINITY;

  constructor(table: LeaseTable, events: LeaseStateMachineEvents) {
    this.table = table;
    this.#events = events;
  }

  /** Entries from this index on are applied about when they are committed; those before were found on the disk. */
  liveFrom(index: number): void {
    this.#liveFrom = index;
  }

  apply(entry: RaftEntry): void {
    if (entry.data.length === 0) return;
    const records = decodeRecords(entry.data);
    const { history } = this.table;
    if (history !== null)
      history.nowUnixMs = entry.index >= this.#liveFrom ? (this.#events.wallUnixMs?.() ?? null) : null;
    for (const record of records) this.#outcomes.push(this.table.replay(record, entry.index));
    this.#events.onEntry(entry.index, records);
  }

  applied(index: number): void {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    if (index > this.table.tableIndex) this.table.publishIndex(index);
    this.#events.onChange(changeOf(index, outcomes));
  }

  snapshot(): Uint8Array {
    return this.table.encodeSnapshot();
  }

  restore(data: Uint8Array): void {
    this.#outcomes.push(this.table.install(data));
  }

  beginSnapshot(): Sliced<Uint8Array> {
    return this.table.captureSnapshot();
  }

  beginRestore(data: Uint8Array): Sliced<true> {
    const install = this.table.beginInstall(data);
    return {
      next: () => {
        const outcome = install.next();
        if (outcome === null) return null;
        this.#outcomes.push(outcome);
        return true;
      },
    };
  }
}

function changeOf(index: number, outcomes: readonly ReplayOutcome[]): TableChange {
  const some = (test: (outcome: ReplayOutcome) => boolean): boolean => outcomes.some(test);
  return {
    index,
    sessions: some(({ opened, ended, closing }) => opened.length + ended.length + closing.length > 0),
    ended: outcomes.flatMap(({ ended }) => ended),
    partitions: some(
      ({ partitions, topics, topicsRemoved }) => partitions.length + topics.length + topicsRemoved.length > 0,
    ),
    generation: some(({ generation }) => generation > 0),
    quarantine: some(({ quarantine }) => quarantine),
  };
}
