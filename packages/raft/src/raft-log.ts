import { assert } from '@holdfast/model';
import type { RaftEntry, Restored, Snapshot } from './types.ts';

/** Entries before which the log agrees for sure at best; term 0 if that was dropped. */
export interface ConflictHint {
  readonly index: number;
  readonly term: number;
}

/**
 * The log in memory: entries after a base, which a snapshot covers, and four marks
 *
 *   base <= applied <= commit <= last,  base <= stable <= last
 *
 * `stable` is how far the disk is known to hold this very log. Entries are never copied.
 */
export class RaftLog {
  #entries: RaftEntry[];
  #baseIndex: number;
  #baseTerm: number;
  #commit: number;
  #applied: number;
  #stable: number;
  #snapshot: Snapshot | null;
  #pendingSnapshot: Snapshot | null = null;

  constructor(restored: Restored) {
    const { hardState, snapshot, entries } = restored;
    const snapshotIndex = snapshot?.index ?? 0;
    const first = entries[0];
    this.#snapshot = snapshot;
    if (first !== undefined && first.index <= snapshotIndex) {
      // The term before the first trailing entry isn't known, so that entry itself becomes the base.
      this.#baseIndex = first.index;
      this.#baseTerm = first.term;
      this.#entries = entries.slice(1);
    } else {
      this.#baseIndex = snapshotIndex;
      this.#baseTerm = snapshot?.term ?? 0;
      this.#entries = [...entries];
    }
    for (let i = 0; i < this.#entries.length; i++) {
      const want = this.#baseIndex + 1 + i;
      assert(this.#entries[i]!.index === want, `restored entry ${this.#entries[i]!.index} where ${want} should be`);
    }
    assert(this.lastIndex >= snapshotIndex, `restored entries end at ${this.lastIndex}, before ${snapshotIndex}`);
    // The snapshot is committed by its nature, even if the hard state of that moment was not kept.
    this.#commit = Math.max(hardState.commit, snapshotIndex);
    assert(this.#commit <= this.lastIndex, `restored commit ${this.#commit} is after last entry ${this.lastIndex}`);
    this.#applied = snapshotIndex;
    this.#stable = this.lastIndex;
  }

  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries[this.#entries.length - 1]?.term ?? this.#baseTerm;
  }

  get commit(): number {
    return this.#commit;
  }

  get applied(): number {
    return this.#applied;
  }

  get stable(): number {
    return this.#stable;
  }

  /** The newest snapshot, to send to followers that need what was dropped. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** A received snapshot that isn't persisted yet. */
  get pendingSnapshot(): Snapshot | null {
    return this.#pendingSnapshot;
  }

  /** Term of the entry at `index`, also of the base itself; null if dropped or not there. */
  termAt(index: number): number | null {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.#baseIndex - 1]?.term ?? null;
  }

  matches(index: number, term: number): boolean {
    return this.termAt(index) === term;
  }

  /** Is a log that ends with (index, term) at least as complete as this one (5.4.1)? */
  isUpToDate(index: number, term: number): boolean {
    return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);
  }

  /** Entries from `from` on while they fit into `bytesMax`; at least one if there is one. */
  slice(from: number, bytesMax: number, through = this.lastIndex): RaftEntry[] {
    assert(from > this.#baseIndex, `entry ${from} was dropped, the base is ${this.#baseIndex}`);
    const start = from - this.#baseIndex - 1;
    const limit = through - this.#baseIndex;
    let end = start;
    let bytes = 0;
    while (end < limit) {
      bytes += this.#entries[end]!.data.length;
      if (bytes > bytesMax && end > start) break;
      end++;
    }
    return this.#entries.slice(start, end);
  }

  /** Payload of the entries after `from` up to `through`. */
  bytesBetween(from: number, through: number): number {
    let bytes = 0;
    for (let i = from; i < through; i++) bytes += this.#entries[i - this.#baseIndex]!.data.length;
    return bytes;
  }

  /** Is there a configuration among the entries after `from` up to `through`? */
  hasConfBetween(from: number, through: number): boolean {
    for (let i = from; i < through; i++) if (this.#entries[i - this.#baseIndex]!.kind === 'conf') return true;
    return false;
  }

  /** A leader adds an entry of its own (5.3: it never changes what it has). */
  appendOwn(term: number, data: Uint8Array, kind: RaftEntry['kind'] = 'data'): RaftEntry {
    assert(term >= this.lastTerm, `entry of term ${term} after one of ${this.lastTerm}`);
    const entry: RaftEntry = { term, index: this.lastIndex + 1, kind, data };
    this.#entries.push(entry);
    return entry;
  }

  /**
   * A follower takes entries that come right after (prevIndex, prevTerm). Returns the index up to which it now agrees
   * with the sender, or null if it has no such previous entry. Only a real conflict removes anything: an old message,
   * shorter than the log, must not take back what was acknowledged (5.3).
   */
  maybeAppend(prevIndex: number, prevTerm: number, entries: readonly RaftEntry[]): number | null {
    if (!this.matches(prevIndex, prevTerm)) return null;
    const agreed = prevIndex + entries.length;
    let skip = 0;
    while (skip < entries.length && this.matches(entries[skip]!.index, entries[skip]!.term)) skip++;
    const first = entries[skip];
    if (first === undefined) return agreed;
    assert(
      first.index > this.#commit,
      `entry ${first.index} conflicts with a committed one, commit is ${this.#commit}`,
    );
    this.#entries.length = first.index - this.#baseIndex - 1;
    this.#stable = Math.min(this.#stable, first.index - 1);
    for (let i = skip; i < entries.length; i++) this.#entries.push(entries[i]!);
    return agreed;
  }

  /**
   * The last place at or before `index` whose entry has a term of at most `term`: all later ones can't match a log that
   * has `term` there, so a whole run of terms is skipped by one exchange.
   */
  conflictHint(index: number, term: number): ConflictHint {
    if (index > this.lastIndex) return { index, term: 0 };
    while (index > this.#baseIndex) {
      const own = this.termAt(index)!;
      if (own <= term) return { index, term: own };
      index--;
    }
    return { index, term: this.termAt(index) ?? 0 };
  }

  /** Raises the commit index; never lowers it. */
  commitTo(index: number): boolean {
    if (index <= this.#commit) return false;
    assert(index <= this.lastIndex, `commit ${index} is after last entry ${this.lastIndex}: this log lost entries`);
    this.#commit = index;
    return true;
  }

  get hasUnstable(): boolean {
    return this.#stable < this.lastIndex;
  }

  unstableEntries(): RaftEntry[] {
    return this.#entries.slice(this.#stable - this.#baseIndex);
  }

  get hasCommittedToApply(): boolean {
    return this.#pendingSnapshot === null && this.#applied < this.#commit;
  }

  /** The next entries to apply; none while a snapshot is to be restored first. */
  committedToApply(bytesMax: number): RaftEntry[] {
    return this.hasCommittedToApply ? this.slice(this.#applied + 1, bytesMax, this.#commit) : [];
  }

  /** The disk now holds the log up to (index, term), if that is still an entry of this log. */
  stableTo(index: number, term: number): void {
    // A snapshot that came meanwhile will wipe the disk, so nothing that was written before it counts.
    if (this.#pendingSnapshot !== null) return;
    if (index > this.#stable && this.matches(index, term)) this.#stable = index;
  }

  appliedTo(index: number): void {
    if (index <= this.#applied) return;
    assert(index <= this.#commit, `applied ${index} is after commit ${this.#commit}`);
    this.#applied = index;
  }

  /** Replaces the log by a snapshot from the leader; to be persisted through the next Ready. */
  restore(snapshot: Snapshot): void {
    assert(snapshot.index > this.#commit, `snapshot ${snapshot.index} is not after commit ${this.#commit}`);
    this.#entries = [];
    this.#baseIndex = snapshot.index;
    this.#baseTerm = snapshot.term;
    this.#commit = snapshot.index;
    this.#stable = snapshot.index;
    this.#pendingSnapshot = snapshot;
  }

  /** The snapshot is on disk and restored. */
  snapshotPersisted(snapshot: Snapshot): void {
    if (this.#snapshot === null || snapshot.index > this.#snapshot.index) this.#snapshot = snapshot;
    if (this.#pendingSnapshot === snapshot) this.#pendingSnapshot = null;
    this.#applied = Math.max(this.#applied, snapshot.index);
  }

  /** Takes a snapshot of the applied state and drops entries that it covers, all but the last `trailingEntries`. */
  compact(snapshot: Snapshot, trailingEntries: number): void {
    this.#snapshot = snapshot;
    const base = Math.min(snapshot.index - trailingEntries, this.#stable);
    if (base <= this.#baseIndex) return;
    this.#baseTerm = this.termAt(base)!;
    this.#entries = this.#entries.slice(base - this.#baseIndex);
    this.#baseIndex = base;
  }
}
