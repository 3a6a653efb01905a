import type { LogFields, Logger } from '@holdfast/model';
import { destination, type Logger as Pino, pino } from 'pino';
import { errorFields } from './error-fields.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields of every line, such as the node's id. */
  readonly base: LogFields;
  /** File descriptor to write to. */
  readonly fd?: number;
}

/** What can't be written now waits, up to so much; beyond it lines are dropped and counted. */
const unwrittenBytesMax = 1 << 20;

/**
 * The log port over pino: NDJSON, level names, `err` serialised, written at once so that a crash loses no line. A warning
 * is about the world outside, a broker or a disk: its `err` says what failed, without a stack unless the level is debug.
 * Where lines can't be written (a full disk), the process goes on without them.
 */
export class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(from: Pino) {
    this.#pino = from;
  }

  static create({ level, base, fd = 1 }: LoggerOptions): PinoLogger {
    const options = {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: (err: unknown) => (err instanceof Error ? errorFields(err) : err) },
    };
    const stream = destination({ dest: fd, sync: true, maxLength: unwrittenBytesMax });
    const logger = new PinoLogger(pino(options, stream));
    let dropped = 0;
    // Without a listener it would end the process. The line stays first in the row, and is tried again with the next.
    stream.on('error', () => undefined);
    stream.on('drop', () => {
      dropped++;
    });
    stream.on('write', () => {
      const lines = dropped;
      dropped = 0;
      if (lines > 0) logger.warn('log lines could not be written and are lost', { lines });
    });
    return logger;
  }

  debug(text: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, text);
  }

  info(text: string, fields: LogFields = {}): void {
    this.#pino.info(fields, text);
  }

  warn(text: string, fields: LogFields = {}): void {
    this.#pino.warn(this.#pino.isLevelEnabled('debug') ? fields : withoutStack(fields), text);
  }

  error(text: string, fields: LogFields = {}): void {
    this.#pino.error(fields, text);
  }

  child(part: string): Logger {
    return new PinoLogger(this.#pino.child({ part }));
  }
}

function withoutStack(fields: LogFields): LogFields {
  const { err } = fields;
  if (!(err instanceof Error)) return fields;
  const { name: type, message, code } = err as NodeJS.ErrnoException;
  return { ...fields, err: code === undefined ? { type, message } : { type, message, code } };
}
