import type { RaftRestored } from '@holdfast/engine';
import type { LeaseTable } from '@holdfast/lease';
import { crc32c } from '@holdfast/model';
import type { CommittedLog } from './committed-log.ts';
import type { Report } from './report.ts';
import { tableDigest } from './table-digest.ts';

/** I14: all nodes apply the same command per index, so their disks and their tables are what the committed log says. */
export class SameCommands {
  readonly #report: Report;
  readonly #log: CommittedLog;

  constructor(report: Report, log: CommittedLog) {
    this.#report = report;
    this.#log = log;
  }

  /** What a node's disk holds of what is committed is the same. */
  checkDisk(node: string, fromIndex: number, throughIndex: number, disk: RaftRestored): void {
    const last = Math.min(throughIndex, this.#log.lastIndex);
    for (let index = Math.max(fromIndex, disk.entries[0]?.index ?? last + 1); index <= last; index++) {
      const entry = disk.entries[index - disk.entries[0]!.index];
      const known = this.#log.entries[index]!;
      if (entry === undefined) return;
      if (entry.term !== known.term || crc32c(entry.data) !== known.crc) {
        this.#report(`I14: ${node} has another entry ${index} (term ${entry.term}, committed in ${known.term})`);
        return;
      }
    }
  }

  /** What a node's table holds is what the log gives up to its index. */
  checkTable(node: string, table: LeaseTable): void {
    const { tableIndex } = table;
    const digest = this.#log.entries[tableIndex]?.digest;
    const own = tableDigest(table, this.#log.generations);
    if (digest !== undefined && digest !== own) {
      this.#report(`I14: after ${tableIndex} the table of ${node} is ${own}, the log gives ${digest}`);
    }
  }

  /** A node's table is at `index` now. */
  checkForward(node: string, index: number, before: number): void {
    if (index < before) this.#report(`I14: the table of ${node} goes back to ${index}`);
  }
}
