/** What log lines may carry besides their text. Never a user id, a key, or the contents of a record. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log port: text first, then fields. Adapters write NDJSON. */
export interface Logger {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  child(part: string): Logger;
}

/** Swallows all lines. For tests and for tools that show nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
