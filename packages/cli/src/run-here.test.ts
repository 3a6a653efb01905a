import { Readable } from 'node:stream';
import { run } from './program.ts';

/** What a command line came to. */
export interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, as in a pipe and without variables. */
export async function runHere(
  args: readonly string[],
  cwd: string,
  stdin: Readable = Readable.from([]),
): Promise<Outcome> {
  let out = '';
  let err = '';
  const exit = await run(args, {
    env: {},
    cwd,
    stdin,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: 80,
    out: async (text) => void (out += text),
    outUnread: new AbortController().signal,
    note: (text) => void (err += text),
    style: (_kind, text) => text,
  });
  return { exit, out, err };
}
