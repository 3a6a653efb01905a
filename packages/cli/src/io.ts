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
  /** Aborted once what went to stdout found no reader: who has no other end may end. */
  readonly outUnread: AbortSignal;
  /** As `out`, to stderr, whose reader is another one. */
  note(text: string): void;
  style(kind: 'bold' | 'dim' | 'red' | 'yellow' | 'green', text: string): string;
}

/** Set by `--no-color`; NO_COLOR is heeded as well, and nothing but a terminal gets colours. */
export function processIo(colour: boolean): Io {
  const { stdout, stderr, env } = process;
  const outUnread = readerGone(stdout);
  const noteUnread = readerGone(stderr);
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
        stdout.write(text, () => resolve());
      }),
    outUnread,
    note: (text) => {
      if (!noteUnread.aborted) stderr.write(text);
    },
    style: (kind, text) => (colours ? styleText(kind, text, { validateStream: false }) : text),
  };
}

/** `holdfast export | head`: the reader has seen enough. */
function readerGone(stream: Writable): AbortSignal {
  const gone = new AbortController();
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    gone.abort();
  });
  return gone.signal;
}
