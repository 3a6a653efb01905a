export const serviceErrorCodes = [
  'LOG_UNREACHABLE',
  'LOG_DENIED',
  'LOG_UNUSABLE',
  'STORE_UNREACHABLE',
  'STORE_DENIED',
  'STORE_UNUSABLE',
  'TOPIC_MISSING',
  'FILE_UNREADABLE',
  'START_INTERRUPTED',
] as const;
export type ServiceErrorCode = (typeof serviceErrorCodes)[number];

/**
 * Log or store can't be used; the text is one line for an operator. Match on `code`:
 * - `LOG_UNREACHABLE`, `STORE_UNREACHABLE`: nobody answered until the configured time.
 * - `LOG_DENIED`, `STORE_DENIED`: wrong credentials, an untrusted certificate, a missing right; at once.
 * - `LOG_UNUSABLE`, `STORE_UNUSABLE`: what answers can't keep the promise; the text says the fix.
 * - `TOPIC_MISSING`: and it may not be created.
 * - `FILE_UNREADABLE`: a password, token or certificate.
 * - `START_INTERRUPTED`: the node was asked to stop while it waited; nothing was held yet.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;
  constructor(code: ServiceErrorCode, text: string, options?: { readonly cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
