import { LogError } from '@holdfast/engine';
import { EmbeddedError } from './errors.ts';

/** What the port promises in place of the package's own errors. */
export function logError(error: unknown): unknown {
  if (!(error instanceof EmbeddedError)) return error;
  if (error.code === 'CLOSED') return new LogError('LOG_CLOSED', 'the log is closed', { cause: error });
  if (error.code === 'CORRUPT') return new LogError('RECORDS_CORRUPT', error.message, { cause: error });
  return new LogError('LOG_IO', error.message, { cause: error });
}
