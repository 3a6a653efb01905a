import type { RaftEntry } from '@holdfast/raft';
import type { Sliced } from './sliced.ts';

/**
 * What the log is applied to. Synchronous and deterministic: the same entries give the same state on every node.
 * What it throws stops the node, since its state can't be trusted any more.
 */
export interface StateMachine {
  /** Called once per committed entry, in order. Empty `data` is a leader's no-op. */
  apply(entry: RaftEntry): void;
  /** After the last entry of a batch: everything up to `index` is applied and may be shown. */
  applied(index: number): void;
  /** The state as of the last applied entry. */
  snapshot(): Uint8Array;
  /** Replaces the state by that of a snapshot taken at `index`. */
  restore(data: Uint8Array, index: number): void;
  /** As `snapshot`, in slices: the state as of this call, whatever is applied before the last slice. */
  beginSnapshot?(): Sliced<Uint8Array>;
  /** As `restore`, in slices: nothing changes before the last one, and nothing may be applied before it. */
  beginRestore?(data: Uint8Array, index: number): Sliced<true>;
}
