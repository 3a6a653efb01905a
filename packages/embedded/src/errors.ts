export const embeddedErrorCodes = [
  'CLOSED',
  'WRITE_FAILED',
  'WRITE_STALLED',
  'READ_FAILED',
  'CORRUPT',
  'FEED_CONFLICT',
  'FEED_LINE_GREW',
  'FEED_OTHER_FILE',
] as const;
export type EmbeddedErrorCode = (typeof embeddedErrorCodes)[number];

/**
 * A broken environment: thrown by what the ports give no error of their own for. Match on `code`:
 * - `CLOSED`: used after `close`.
 * - `WRITE_FAILED`: the disk refused (full, read-only, damaged); nothing of the write is visible.
 * - `WRITE_STALLED`: no answer within `writeTimeoutMs`; the write may still land.
 * - `READ_FAILED`: LMDB could not read or open the environment.
 * - `CORRUPT`: stored bytes are not what was written.
 * - `FEED_CONFLICT`: another process feeds the same input.
 * - `FEED_LINE_GREW`: a part of a line was fed as the last one of its file, and the line has got more since.
 * - `FEED_OTHER_FILE`: a feed was to go on, and its file is another one now.
 */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
  readonly code: EmbeddedErrorCode;
  constructor(code: EmbeddedErrorCode, text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
