import type { RaftRestored } from '@holdfast/engine';
import { decodeRecords, type LeaseRecord, LeaseTable } from '@holdfast/lease';
import { crc32c } from '@holdfast/model';
import { type ConfState, decodeConfEntry } from '@holdfast/raft';
import type { Report } from './report.ts';
import { tableDigest } from './table-digest.ts';

export interface CommittedEntry {
  readonly term: number;
  /** Of whoever was first seen to count it as committed: its leader's, or a later one. An entry of an earlier term is committed with one of this. */
  readonly committedInTerm: number;
  readonly crc: number;
  /** When somebody was first seen to count it as committed. */
  readonly atMs: number;
  readonly records: readonly LeaseRecord[];
  /** Of the table after it. */
  readonly digest: string;
}

/** What is committed, as first seen, and the table that it gives: the truth by which nodes are judged. */
export class CommittedLog {
  readonly table = new LeaseTable();
  /** Of stores: all that its entries have named. */
  readonly generations = new Set<string>();
  /** By index; index 0 is the beginning. */
  readonly entries: CommittedEntry[];
  readonly #confs: { readonly index: number; readonly conf: ConfState }[] = [];
  readonly #report: Report;
  readonly #onEntry: (index: number, entry: CommittedEntry) => void;

  constructor(report: Report, onEntry: (index: number, entry: CommittedEntry) => void) {
    this.#report = report;
    this.#onEntry = onEntry;
    const digest = tableDigest(this.table, this.generations);
    this.entries = [{ term: 0, committedInTerm: 0, crc: 0, atMs: 0, records: [], digest }];
  }

  get lastIndex(): number {
    return this.entries.length - 1;
  }

  /** `node` counts everything up to `index` as committed. @returns the first index that is news, or null */
  committedAt(node: string, index: number, disk: RaftRestored, nowMs: number): number | null {
    if (index <= this.lastIndex) return null;
    const first = this.lastIndex + 1;
    while (this.lastIndex < index) {
      const next = this.lastIndex + 1;
      const entry = disk.entries[next - (disk.entries[0]?.index ?? 0)];
      if (entry?.index !== next) {
        this.#report(`I16: ${node} counts ${next} as committed, and hasn't got it`);
        return null;
      }
      const records = entry.kind === 'conf' || entry.data.length === 0 ? [] : decodeRecords(entry.data);
      for (const record of records) {
        this.table.replay(record, next);
        if (record.kind === 'generationChanged') this.generations.add(record.storeGeneration);
      }
      this.table.publishIndex(next);
      if (entry.kind === 'conf') this.#confs.push({ index: next, conf: decodeConfEntry(entry.data) });
      const digest = tableDigest(this.table, this.generations);
      const { term } = entry;
      const committedInTerm = disk.hardState.term;
      const committed = { term, committedInTerm, crc: crc32c(entry.data), atMs: nowMs, records, digest };
      this.entries.push(committed);
      this.#onEntry(next, committed);
    }
    return first;
  }

  /** The configurations that may have decided whether `index` and what follows is committed. */
  confsFrom(index: number): ConfState[] {
    const before = this.#confs.findLastIndex((known) => known.index < index);
    return this.#confs.slice(Math.max(0, before)).map(({ conf }) => conf);
  }
}
