import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/** What a command may touch of its process. stdout is data; stderr is for people: progress, errors, logs. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  /** True: lines may be drawn over. */
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly columns: number;
  /** Resolves when more may be written. Once the reader is gone it does nothing. */
  out(text: string): Promise<void>;
  /** Aborted once what went to stdout found no reader, or no room: who has no other end may end. */
  readonly outUnread: AbortSignal;
  /** Why stdout could not be written, where it wasn't for want of a reader: the disk is full, say. */
  readonly outError?: Error | null;
  /** As `out`, to stderr, whose reader is another one. */
  note(text: string): void;
  style(kind: 'bold' | 'dim' | 'red' | 'yellow' | 'green', text: string): string;
}

/** Set by `--no-color`; NO_COLOR is heeded as well, and nothing but a terminal gets colours. */
export function processIo(colour: boolean): Io {
  const { stdout, stderr, env } = process;
  let outError: Error | null = null;
  const outUnread = readerGone(stdout, (error) => {
    outError ??= error;
  });
  // Nobody is left to be told of an error of stderr.
  const noteUnread = readerGone(stderr, () => undefined);
  const colours = colour && (env.NO_COLOR ?? '') === '' && stdout.isTTY === true;
  return {
    env,
    cwd: process.cwd(),
    // Only who reads it opens it.
    get stdin() {
      return process.stdin;
    },
    stdoutIsTerminal: stdout.isTTY === true,
    stderrIsTerminal: stderr.isTTY === true,
    columns: (stderr.isTTY ? stderr.columns : stdout.columns) || 120,
    out: (text) =>
      new Promise((resolve) => {
        if (outUnread.aborted) return resolve();
        stdout.write(text, (error) => {
          if (isFailure(error)) outError ??= error;
          resolve();
        });
      }),
    outUnread,
    get outError() {
      return outError;
    },
    note: (text) => {
      if (!noteUnread.aborted) stderr.write(text);
    },
    style: (kind, text) => (colours ? styleText(kind, text, { validateStream: false }) : text),
  };
}

/** `holdfast export | head`: the reader has seen enough. Any other end of the stream is a failure. */
function readerGone(stream: Writable, onFailure: (error: Error) => void): AbortSignal {
  const gone = new AbortController();
  stream.on('error', (error) => {
    if (isFailure(error)) onFailure(error);
    gone.abort();
  });
  return gone.signal;
}

function isFailure(error: NodeJS.ErrnoException | null | undefined): error is NodeJS.ErrnoException {
  return error != null && error.code !== 'EPIPE';
}
