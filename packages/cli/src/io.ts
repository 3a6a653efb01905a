import type { Readable } from 'node:stream';
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
  note(text: string): void;
  style(kind: 'bold' | 'dim' | 'red' | 'yellow' | 'green', text: string): string;
}

/** Set by `--no-color`; NO_COLOR is heeded as well, and nothing but a terminal gets colours. */
export function processIo(colour: boolean): Io {
  const { stdout, stderr, env } = process;
  let readerGone = false;
  const onError = (error: NodeJS.ErrnoException) => {
    // `holdfast export | head`: the reader has seen enough.
    if (error.code !== 'EPIPE') throw error;
    readerGone = true;
  };
  stdout.on('error', onError);
  stderr.on('error', onError);
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
        if (readerGone) return resolve();
        stdout.write(text, () => resolve());
      }),
    note: (text) => {
      if (!readerGone) stderr.write(text);
    },
    style: (kind, text) => (colours ? styleText(kind, text, { validateStream: false }) : text),
  };
}
