import type { RecordCrash } from '@holdfast/lease';

/**
 * Records at which processes of this node ended, as their notes tell (PROTOCOL.md 6.2). Adapters: the embedded crash
 * folder, and the in-memory twin; both run the testkit's conformance suite.
 */
export interface CrashReports {
  /** Those that the leader hasn't been told of, of this start and of earlier ones. */
  readonly pending: readonly RecordCrash[];
  /** The leader has them. */
  told(): void;
}
