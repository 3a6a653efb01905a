import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { failed } from '../cli-error.ts';

/** The file that a feed shall read. @returns its whole path @throws CliError INPUT_UNREADABLE */
export function checkInput(given: string, cwd: string): string {
  const path = resolve(cwd, given);
  const refuse = (why: string) => failed('INPUT_UNREADABLE', `input ${given} can't be read: ${why}`);
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw refuse('it is a folder');
    // It is read from any place in it, perhaps by another run that goes on: a pipe can't be.
    if (!stat.isFile()) throw refuse('it is no regular file; give a pipe as standard input, by -');
    accessSync(path, constants.R_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw refuse('there is no such file');
    if (code === 'EACCES') throw refuse('no permission');
    throw error;
  }
  return path;
}
