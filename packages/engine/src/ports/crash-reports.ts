import type { CrashNote } from '@holdfast/lease';

/**
 * What the shards of this node's processes were at when these ended, as their notes tell (PROTOCOL.md 6.2). Adapters: the embedded crash
 * folder, and the in-memory twin; both run the testkit's conformance suite.
 */
export interface CrashReports {
  /** Those that the leader hasn't been told of, of this start and of earlier ones. */
  readonly pending: readonly CrashNote[];
  /** The leader has them. */
  told(): void;
}
