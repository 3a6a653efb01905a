import type { ShardRef } from '@holdfast/model';

/**
 * The lease table as a shard reads it, at once and without a message. The lease package's reader has this shape.
 * `lookup` fills the fields; they are valid until the next call.
 */
export interface LeaseView {
  /** The Raft index up to which the table is applied. A lookup after it sees at least that much. */
  tableIndex(): number;
  /** How many unclean ends the table has seen (PROTOCOL.md 2.3). */
  uncleanCount(): number;
  /** Index of the latest of them. */
  uncleanIndex(): number;
  /**
   * How many leases were ended over their holder's head while its session lives. Once it is seen, so are these ends: the
   * leases are gone, and `uncleanIndex` is theirs or a later one.
   */
  forcedCount(): number;
  /** Index of the latest generation entry (5.8); 0 for none. Once it is seen, so is that entry's `generation`: read this first. */
  generationIndex(): number;
  /** Index of the latest entry that put a unit into quarantine or released one (6.3); 0 for none. */
  quarantineIndex(): number;
  /** What is added to a grant's Raft index to make its epoch (PROTOCOL.md 1). */
  epochBase(): number;
  /** Number of the store's generation as the log knows it. */
  generation(): number;
  /** The session is in the table, and has not ended. */
  isLive(session: number): boolean;
  /**
   * Visits live leases at up to `count` places of the table from `place` on, with the fields filled as by `lookup`. Returns
   * the place to go on from; 0 after the last.
   */
  visitSome(place: number, count: number, visit: (hi: number, lo: number) => void): number;
  /** True when the unit has a live lease. */
  lookup(hi: number, lo: number): boolean;
  readonly session: number;
  readonly shard: number;
  readonly epoch: number;
}

/** Does the shard have the unit's live lease? Fills the fields as `lookup`. */
export function isLeasedTo(leases: LeaseView, to: ShardRef, hi: number, lo: number): boolean {
  return leases.lookup(hi, lo) && leases.session === to.session && leases.shard === to.shard;
}
