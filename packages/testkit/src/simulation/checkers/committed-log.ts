import type { RaftRestored } from '@holdfast/engine';
import { decodeRecords, type LeaseRecord, LeaseTable } from '@holdfast/lease';
import { crc32c } from '@holdfast/model';
import { type ConfState, decodeConfEntry } from '@holdfast/raft';
import { termOnDisk } from '../simulated-disk.ts';
import type { Report } from './report.ts';
import { tableDigest } from './table-digest.ts';

export interface CommittedEntry {
  readonly term: number;
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
  /** By index; index 0 is the beginning. */
  readonly entries: CommittedEntry[];
  readonly #confs: { readonly index: number; readonly conf: ConfState }[] = [];
  readonly #report: Report;
  readonly #onEntry: (index: number, entry: CommittedEntry) => void;

  constructor(report: Report, onEntry: (index: number, entry: CommittedEntry) => void) {
    this.#report = report;
    this.#onEntry = onEntry;
    this.entries = [{ term: 0, crc: 0, atMs: 0, records: [], digest: tableDigest(this.table) }];
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
      for (const record of records) this.table.replay(record, next);
      this.table.publishIndex(next);
      if (entry.kind === 'conf') this.#confs.push({ index: next, conf: decodeConfEntry(entry.data) });
      const digest = tableDigest(this.table);
      const committed = { term: entry.term, crc: crc32c(entry.data), atMs: nowMs, records, digest };
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

  /** I13, I14: what a node's disk holds of what is committed is the same. */
  checkDisk(node: string, fromIndex: number, throughIndex: number, disk: RaftRestored): void {
    const last = Math.min(throughIndex, this.lastIndex);
    for (let index = Math.max(fromIndex, disk.entries[0]?.index ?? last + 1); index <= last; index++) {
      const entry = disk.entries[index - disk.entries[0]!.index];
      const known = this.entries[index]!;
      if (entry === undefined) return;
      if (entry.term !== known.term || crc32c(entry.data) !== known.crc) {
        this.#report(`I14: ${node} has another entry ${index} (term ${entry.term}, committed in ${known.term})`);
        return;
      }
    }
  }

  /** I13: a leader of `term` has every entry that was committed in earlier terms. */
  checkLeader(node: string, term: number, disk: RaftRestored): void {
    for (let index = this.lastIndex; index > 0; index--) {
      const committed = this.entries[index]!;
      if (committed.term >= term) continue;
      if ((disk.snapshot?.index ?? 0) >= index) return;
      const own = termOnDisk(disk, index);
      if (own === committed.term) continue;
      this.#report(
        `I13: ${node}, leader of term ${term}, has term ${own} at committed entry ${index} of ${committed.term}`,
      );
      return;
    }
  }
}
