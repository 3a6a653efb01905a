import type { PartitionId, Unit } from '@holdfast/model';

/**
 * The fenced store of unit rows (PROTOCOL.md 5). Rows are opaque bytes to it; order is by (epoch, seq).
 * Every call names the store's generation as Raft knows it; a store of another generation answers GENERATION and does nothing.
 * All answers are given only once they are durable. Adapters: embedded LMDB, Redis, the in-memory twin.
 */
export interface BackupStore {
  /**
   * The random id of this store's life: another one means that data may be lost. 1 to 64 letters, digits and `-`: logs keep
   * it with each committed offset.
   */
  generationId(): Promise<string>;
  /**
   * Before a generation is logged: notes in the store that it is this one. Results: one, whether the store continues the
   * generation `current`: all that is in it was in that one's store, after this was noted there. An empty store does, one
   * with rows and without a note doesn't. What is noted is lost only with all that was written after it; may be repeated.
   */
  adopt(generationId: string, current: string): Promise<StoreAnswer<boolean>>;
  /**
   * For each claim in one step: raise the row's epoch to (epoch, seq 0), and return the row and its bucket's markers.
   * Accepted iff (epoch, 0) is greater than or equal to the stored (epoch, seq) — equal is a repeated claim, ok without writing.
   * One whose row can't be read is CORRUPT, and the others of the call are carried out; the epoch is raised where it can be read.
   */
  claim(generationId: string, claims: readonly Claim[]): Promise<StoreAnswer<ClaimResult>>;
  /**
   * Writes whole rows, each atomically; accepted iff (epoch, seq) is greater, equal is ok without writing. CORRUPT where
   * the stored (epoch, seq) can't be read: what is stored stays as it is, and the others of the call are written.
   */
  backup(generationId: string, rows: readonly RowWrite[]): Promise<StoreAnswer<RowResult>>;
  /** Raises markers (kept as the maximum, per bucket and partition). */
  mark(generationId: string, marks: readonly Mark[]): Promise<StoreAnswer<'ok'>>;
  /** The least marker of the partition over all buckets; 0 when any bucket has none. */
  leastMarker(generationId: string, partition: PartitionId): Promise<StoreAnswer<number>>;
  /** The highest epoch that any row has, the base of a new cluster's epochs. Rejects where the epoch of one can't be read. */
  highestEpoch(): Promise<number>;
  /** Reads a row without claiming it: for status, queries and export. */
  read(unit: Unit): Promise<StoredRow | null>;
  /** All rows, in no particular order. */
  scan(): AsyncIterable<StoredRow>;
  close(): Promise<void>;
}

/** Results in the order of the requests, or the whole call refused because the store lives another life. */
export type StoreAnswer<T> =
  | { readonly code: 'OK'; readonly results: readonly T[] }
  | { readonly code: 'GENERATION'; readonly generationId: string };

export interface Claim extends Unit {
  readonly epoch: number;
}

export type ClaimResult =
  | {
      readonly code: 'OK' /** null: no row yet */;
      readonly row: Uint8Array | null;
      readonly markers: readonly Marker[];
    }
  | { readonly code: 'FENCED'; readonly epoch: number }
  | (Corrupt & { readonly markers: readonly Marker[] });

/** What is stored of this unit is not what was written, or a newer version wrote it. It stays for an operator to mend. */
export interface Corrupt {
  readonly code: 'CORRUPT';
  /** What is wrong with it, in a few words; names the unit, and nobody's key. */
  readonly problem: string;
}

export interface RowWrite extends Unit {
  readonly epoch: number;
  readonly seq: number;
  readonly row: Uint8Array;
  readonly savedUnixMs: number;
}

export type RowResult =
  | { readonly code: 'OK' }
  /** A higher epoch is stored. */
  | { readonly code: 'FENCED'; readonly epoch: number }
  /** Own epoch, higher seq stored: an old repeat, ignored. */
  | { readonly code: 'STALE' }
  | Corrupt;

export interface Marker {
  readonly partition: PartitionId;
  /** Everything below this offset is durable for every unit of the bucket. */
  readonly offset: number;
}

export interface Mark extends Marker {
  readonly bucket: number;
}

export interface StoredRow extends Unit {
  readonly epoch: number;
  readonly seq: number;
  /** Null after a claim of a unit that has never been backed up. */
  readonly row: Uint8Array | null;
  readonly savedUnixMs: number;
}
