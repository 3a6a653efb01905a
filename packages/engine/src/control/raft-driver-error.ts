export const raftDriverErrorCodes = [
  /** This node doesn't lead, or there is no leader: nothing was done. */
  'NOT_LEADER',
  /** Leadership ended before the outcome was known here: the proposal may have been committed, or may yet be. */
  'LOST_LEADERSHIP',
  /** A bound was reached: nothing was done. */
  'FULL',
  /** No proof of leadership came in time. Reads only. */
  'TIMED_OUT',
  /** The driver has stopped. The outcome of a proposal is unknown. */
  'STOPPED',
] as const;
export type RaftDriverErrorCode = (typeof raftDriverErrorCodes)[number];

/** Why a proposal, a read or a call came to nothing; match on `code`. */
export class RaftDriverError extends Error {
  override readonly name = 'RaftDriverError';
  readonly code: RaftDriverErrorCode;
  constructor(code: RaftDriverErrorCode, text: string) {
    super(text);
    this.code = code;
  }
}

/** For whoever ends with the driver, and has nobody to tell: takes `STOPPED`, and throws the rest. */
export function unlessStopped(error: unknown): void {
  if (!(error instanceof RaftDriverError && error.code === 'STOPPED')) throw error;
}
