import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf } from './look-at-process.ts';

/** Ends what a run may have left running: processes that it started, and that still have its folder in their arguments. */
export async function endLeftovers(dir: string): Promise<number> {
  const path = join(dir, 'pids');
  if (!existsSync(path)) return 0;
  const pids = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
  const isOurs = (pid: number): boolean => argumentsOf(pid).includes(dir);
  const left = pids.filter(isOurs);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  const endMs = performance.now() + 10_000;
  while (left.some(isOurs) && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
  return left.length;
}
