import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Makes names that were created or moved in the folder survive a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces the file as a whole, durably: a reader sees the old text or the new. */
export function replaceFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Creates the file as a whole, durably; false, with nothing changed, when it exists. */
export function createFile(path: string, text: string): boolean {
  const temporary = writeTemporary(path, text);
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
  syncFolder(dirname(path));
  return true;
}

/** Beside the file, under a name that `isTemporary` knows. */
function writeTemporary(path: string, text: string): string {
  const temporary = join(dirname(path), `${temporaryPrefix}${basename(path)}.${randomUUID()}`);
  const fd = openSync(temporary, 'wx', 0o644);
  try {
    // Not writeSync, which may write a part and be content.
    writeFileSync(fd, text);
    fsyncSync(fd);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
  return temporary;
}

const temporaryPrefix = '.holdfast-tmp-';

/** A file that a process which died here left behind. */
export function isTemporary(name: string): boolean {
  return name.startsWith(temporaryPrefix);
}

/** Makes a folder and those above it. Node's own way never returns below /proc, where a missing parent can't be made. */
export function makeFolders(path: string): void {
  if (makeFolder(path)) return;
  if (dirname(path) !== path) makeFolders(dirname(path));
  if (!makeFolder(path)) mkdirSync(path);
}

/** True when it is there, by whomever; false when the one above is missing. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return true;
    if (code === 'ENOENT') return false;
    throw error;
  }
}
