import type { LogFields, Logger } from '@holdfast/model';
import { destination, type Logger as Pino, pino, stdSerializers } from 'pino';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields of every line, such as the node's id. */
  readonly base: LogFields;
  /** File descriptor to write to. */
  readonly fd?: number;
}

/**
 * The log port over pino: NDJSON, level names, `err` serialised, written at once so that a crash loses no line. A warning
 * is about the world outside, a broker or a disk: its `err` says what failed, without a stack unless the level is debug.
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
      serializers: { err: (err: unknown) => (err instanceof Error ? stdSerializers.err(err) : err) },
    };
    return new PinoLogger(pino(options, destination({ dest: fd, sync: true })));
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
