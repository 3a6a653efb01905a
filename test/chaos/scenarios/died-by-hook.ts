import type { NodeProcess } from '../../cluster/support/node-process.ts';

/** @throws Error when the process has ended otherwise than by the kill -9 of itself that it was told of */
export function diedByHook({ id, exitCode, signalCode, output }: NodeProcess): void {
  if (signalCode === 'SIGKILL') return;
  const last = output.trimEnd().split('\n').at(-1)!.slice(0, 400);
  throw new Error(`${id} ended with ${exitCode ?? signalCode}, and was to kill itself: ${last}`);
}
