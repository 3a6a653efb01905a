import { LogError, type LogErrorCode } from '@holdfast/engine';
import { errorText } from '@holdfast/model';
import { brokerErrorName, brokerErrors, isRetriable } from './wire/broker-errors.ts';

export const kafkaErrorCodes = [
  'UNREACHABLE',
  'DENIED',
  'PROTOCOL',
  'BROKER',
  'TOO_LARGE',
  'CORRUPT',
  'CLOSED',
] as const;
export type KafkaErrorCode = (typeof kafkaErrorCodes)[number];

/**
 * What the adapter's parts throw; `KafkaLog` turns it into the port's `LogError`. Match on `code`:
 * - `UNREACHABLE`: no connection, or it broke, or no answer came in time. What was asked may have had its effect.
 * - `DENIED`: wrong credentials, an untrusted certificate, or no permission. Trying again doesn't help.
 * - `PROTOCOL`: what answers is no Kafka, or one too old.
 * - `BROKER`: the broker answered with an error; `brokerError` is its number in Kafka's protocol.
 * - `TOO_LARGE`: the broker takes no batch of that size for the topic; nothing of it is there.
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

/** What to do about a record that its topic refuses in any form: it is sent again until its topic takes it. */
export const invalidRecordAdvice =
  'topics of outputs and dead letters must not be compacted (cleanup.policy), for such a one takes no record without a key';

/** An answer's error number as an error; `what` says what was asked, with its names. */
export function brokerError(what: string, number: number, detail: string | null = null): KafkaError {
  const advice = number === brokerErrors.invalidRecord ? `: ${invalidRecordAdvice}` : '';
  const text = `${what}: ${brokerErrorName(number)}${detail ? ` (${detail})` : ''}${advice}`;
  return new KafkaError(denials.has(number) ? 'DENIED' : 'BROKER', text, { brokerError: number });
}

/** What the port promises in place of the adapter's own errors. */
export function logError(error: unknown): unknown {
  return error instanceof KafkaError ? new LogError(portCode(error), error.message, { cause: error }) : error;
}

/** The same of an append, of whose records so many are durable: whatever failed, they must not be sent again. */
export function appendError(error: unknown, appended: number): LogError {
  if (error instanceof KafkaError) return new LogError(portCode(error), error.message, { cause: error, appended });
  if (error instanceof LogError && appended === 0) return error;
  const code = error instanceof LogError ? error.code : 'LOG_IO';
  return new LogError(code, errorText(error), { cause: error, appended });
}

/** A single record that the broker doesn't take. @param bytes what it takes in a batch, at most */
export function recordTooLarge(topic: string, partition: number, bytes: number, broker: string): KafkaError {
  const text =
    `appending to ${topic}/${partition}: a record of about ${bytes} bytes is larger than the brokers take (${broker}); ` +
    'raise max.message.bytes of the topic';
  return new KafkaError('TOO_LARGE', text, { brokerError: brokerErrors.messageTooLarge });
}

function portCode({ code }: KafkaError): LogErrorCode {
  switch (code) {
    case 'CLOSED':
      return 'LOG_CLOSED';
    case 'DENIED':
      return 'ACCESS_DENIED';
    case 'CORRUPT':
      return 'RECORDS_CORRUPT';
    case 'TOO_LARGE':
      return 'RECORD_TOO_LARGE';
    default:
      return 'LOG_IO';
  }
}
