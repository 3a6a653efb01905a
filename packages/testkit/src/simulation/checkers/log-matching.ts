import type { RaftRestored } from '@holdfast/engine';
import { crc32c } from '@holdfast/model';
import type { RaftEntry } from '@holdfast/raft';
import { termOnDisk } from '../simulated-disk.ts';
import type { Report } from './report.ts';

/** I12: the same index and term, the same entry and the same one before; so whole prefixes are the same. */
export class LogMatching {
  readonly #report: Report;
  /** By `term/index`: term before and hash of the payload. */
  readonly #entries = new Map<string, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  onSynced(node: string, entries: readonly RaftEntry[], after: RaftRestored): void {
    for (const { index, term, data } of entries) {
      const before = termOnDisk(after, index - 1);
      if (before === null) continue;
      const key = `${term}/${index}`;
      const value = `after ${before}, ${data.length} bytes ${crc32c(data)}`;
      const known = this.#entries.get(key);
      if (known !== undefined && known !== value)
        this.#report(`I12: entry ${key} is (${value}) at ${node}, was (${known})`);
      this.#entries.set(key, value);
    }
  }
}
