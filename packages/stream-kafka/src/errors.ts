import { LogError } from '@holdfast/engine';
import { brokerErrorName, isRetriable } from './wire/broker-errors.ts';

export const kafkaErrorCodes = ['UNREACHABLE', 'DENIED', 'PROTOCOL', 'BROKER', 'CORRUPT', 'CLOSED'] as const;
export type KafkaErrorCode = (typeof kafkaErrorCodes)[number];

/**
 * What the adapter's parts throw; `KafkaLog` turns it into the port's `LogError`. Match on `code`:
 * - `UNREACHABLE`: no connection, or it broke, or no answer came in time. What was asked may have had its effect.
 * - `DENIED`: wrong credentials, an untrusted certificate, or no permission. Trying again doesn't help.
 * - `PROTOCOL`: what answers is no Kafka, or one too old.
 * - `BROKER`: the broker answered with an error; `brokerError` is its number in Kafka's protocol.
 * - `CORRUPT`: fetched bytes are not what a broker may send, or too large when decompressed.
 * - `CLOSED`: used after `close`.
 */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: KafkaErrorCode;
  readonly brokerError: number;
  constructor(code: KafkaErrorCode, text: string, options?: { cause?: unknown; brokerError?: number }) {
    super(text, options);
    this.code = code;
    this.brokerError = options?.brokerError ?? 0;
  }

  /** Whether the same request may succeed later, perhaps elsewhere. */
  get retriable(): boolean {
    return this.code === 'UNREACHABLE' || (this.code === 'BROKER' && isRetriable(this.brokerError));
  }
}

/** Codes by which a broker says that this user may not. */
const denials: ReadonlySet<number> = new Set([29, 30, 31, 33, 34, 53, 54, 58]);

/** An answer's error number as an error; `what` says what was asked, with its names. */
export function brokerError(what: string, number: number, detail: string | null = null): KafkaError {
  const text = `${what}: ${brokerErrorName(number)}${detail ? ` (${detail})` : ''}`;
  return new KafkaError(denials.has(number) ? 'DENIED' : 'BROKER', text, { brokerError: number });
}

/** What the port promises in place of the adapter's own errors. */
export function logError(error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error;
  const { message, code } = error;
  if (code === 'CLOSED') return new LogError('LOG_CLOSED', message, { cause: error });
  if (code === 'DENIED') return new LogError('ACCESS_DENIED', message, { cause: error });
  if (code === 'CORRUPT') return new LogError('RECORDS_CORRUPT', message, { cause: error });
  return new LogError('LOG_IO', message, { cause: error });
}
