import type { HardState, RaftEntry, Snapshot } from '@holdfast/raft';

/** What was found at start. Entries follow the snapshot without a gap. */
export interface RaftRestored {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | null;
  readonly entries: readonly RaftEntry[];
}

/**
 * Durable log, vote and snapshot of one Raft member. Every piece carries a checksum;
 * a damaged one is an error at load, never a shorter log.
 */
export interface RaftStorage {
  /** Made with the storage, and lost with it: who has lost its log and vote must not pass for who it was. */
  readonly identity: string;
  /** @throws RaftStorageError CORRUPT */
  load(): Promise<RaftRestored>;
  /**
   * Resolves once everything is durable, all of it or nothing. `entries` replace all stored ones from their first index
   * on. A `snapshot` (a leader's) replaces the whole stored log, also entries beyond its index; `entries` of the same write
   * follow it. Rejects when the disk failed: the member must stop then.
   */
  persist(write: {
    readonly hardState: HardState | null;
    readonly entries: readonly RaftEntry[];
    readonly snapshot: Snapshot | null;
  }): Promise<void>;
  /** Stores a snapshot of the applied state and drops entries below `firstIndexKept`. */
  compact(snapshot: Snapshot, firstIndexKept: number): Promise<void>;
  close(): Promise<void>;
}

/** Thrown when stored bytes are not what was written, or of a format this version doesn't know. */
export class RaftStorageError extends Error {
  override readonly name = 'RaftStorageError';
  readonly code: 'CORRUPT' | 'IO';
  constructor(code: 'CORRUPT' | 'IO', text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
