import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly result: Promise<CommandResult>;
}

/** Starts the shipped program with these arguments. @param input all of standard input; null: that stays open */
export function startHoldfast(args: readonly string[], input: string | Uint8Array | null = ''): RunningCommand {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
  });
  if (input !== null) child.stdin.end(input);
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text.stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text.stderr += part));
  const result = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  return { child, result };
}

/** Runs the shipped program to its end. */
export function holdfast(args: readonly string[], input?: string | Uint8Array): Promise<CommandResult> {
  return startHoldfast(args, input).result;
}
