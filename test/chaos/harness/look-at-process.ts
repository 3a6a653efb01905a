import { spawnSync } from 'node:child_process';

function ask(pid: number, column: string): string {
  return spawnSync('ps', ['-ww', '-o', `${column}=`, '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim();
}

/** The process and its arguments; empty when it is gone. */
export function argumentsOf(pid: number): string {
  return ask(pid, 'args');
}

/** It was stopped by a signal, and not yet continued. */
export function isStopped(pid: number): boolean {
  return ask(pid, 'stat').startsWith('T');
}
