export const redisStoreErrorCodes = [
  'OPTIONS',
  'UNREACHABLE',
  'AUTHENTICATION',
  'UNSUITABLE',
  'UNAVAILABLE',
  'FULL',
  'REFUSED',
  'CORRUPT',
  'CLOSED',
] as const;
export type RedisStoreErrorCode = (typeof redisStoreErrorCodes)[number];

/**
 * A broken environment: what the port gives no answer of its own for. Match on `code`:
 * - `OPTIONS`: the options contradict themselves; all problems are in the text.
 * - `UNREACHABLE`: no server answered until `connectDeadlineMs`. Only at the start.
 * - `AUTHENTICATION`: user name or password are wrong, or the user lacks a right. At the start, at once.
 * - `UNSUITABLE`: a server that can't keep the port's promise: version, policy, role. At the start, and when it has become
 *   so at a restart.
 * - `UNAVAILABLE`: no usable answer within `callTimeoutMs`; the call may have been carried out. Repeat it with the same bytes.
 * - `FULL`: out of memory or disk: nothing was written. Repeat it once there is room.
 * - `REFUSED`: the server refuses the command itself. Repeating helps once an operator has mended it.
 * - `CORRUPT`: what is stored is not what was written, or a newer holdfast wrote it.
 * - `CLOSED`: used after `close`.
 */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError';
  readonly code: RedisStoreErrorCode;
  constructor(code: RedisStoreErrorCode, text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
