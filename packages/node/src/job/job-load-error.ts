export const jobLoadErrorCodes = ['UNKNOWN_JOB', 'BAD_JOB', 'UNKNOWN_MAPPING', 'BAD_MAPPING'] as const;
export type JobLoadErrorCode = (typeof jobLoadErrorCodes)[number];

/** A job that a configuration names can't be had. One line, for its operator; match on `code`. */
export class JobLoadError extends Error {
  override readonly name = 'JobLoadError';
  readonly code: JobLoadErrorCode;
  constructor(code: JobLoadErrorCode, text: string, options?: { readonly cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
