import type { Holder, Ingest, LeaseView } from '@holdfast/processor';
import type { HeldBackTeller } from './held-back.ts';
import type { ShardOptions } from './shard-options.ts';
import type { StageClock } from './stage-clock.ts';
import type { TableBarrier } from './table-barrier.ts';

/** The store's generation as the log knows it. */
export interface KnownGeneration {
  readonly number: number;
  readonly generationId: string;
}

/** The lease table, over whichever buffer it has; `LeaseTableReader` has this shape. */
export interface TableView extends LeaseView {
  attach(buffer: SharedArrayBuffer): void;
}

/** What the loops of one shard share. Made when the session begins; a new session is a new shard. */
export interface ShardContext {
  readonly options: ShardOptions;
  readonly leases: TableView;
  readonly ingest: Ingest;
  readonly holder: Holder;
  readonly clock: StageClock;
  readonly heldBack: HeldBackTeller;
  readonly barrier: TableBarrier;
  /** Null until the control thread has told it. */
  generation: KnownGeneration | null;
  /** Set by `stop`: nothing is read any more. */
  stopping: boolean;
  /** Everything has ended, or failed: nothing more is taken, written or told. */
  stopped: boolean;
  /** Whether the session was proven alive lately. What a store fences needn't ask; what a log can't, must. */
  mayAct(): boolean;
  /** Has the pump run soon: something moved. */
  wake(): void;
  /** A broken invariant, or an error nobody can handle: the process must end. */
  fail(error: unknown): void;
}
