import { closeSync, existsSync, fstatSync, openSync, writeSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './durable-file.ts';
import { EmbeddedError } from './errors.ts';
import { saidBytes } from './meta-pages.ts';

/**
 * Makes an environment under a temporary name and moves it to `path`: a process that dies meanwhile leaves no
 * half-made file behind, so whatever is found at `path` must be whole.
 */
export async function createEnvFolder(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `${basename(path)}.new`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await fill(temporary);
  await rename(temporary, path);
  syncFolder(dirname(path));
}

/**
 * Lengthens a file that is shorter than its meta page says, with zeros. LMDB maps the file and would die of a bus
 * error where its end is cut; zeros it finds out, or the checksums do. Only for an environment no other process has open.
 * @param bytesMax what the file may have at most
 * @throws EmbeddedError CORRUPT when there is no valid meta page
 */
export function padTornFile(path: string, bytesMax: number): void {
  const file = join(path, 'data.mdb');
  if (!existsSync(file)) throw new EmbeddedError('CORRUPT', `${file} is missing`);
  const fd = openSync(file, 'r+');
  try {
    const size = fstatSync(fd).size;
    const wanted = saidBytes(fd);
    if (wanted === null) throw new EmbeddedError('CORRUPT', `${file} has no valid meta page`);
    if (wanted > bytesMax) throw new EmbeddedError('CORRUPT', `${file} says that it has ${wanted} bytes`);
    if (size < wanted) writeSync(fd, Buffer.from([0]), 0, 1, wanted - 1);
  } finally {
    closeSync(fd);
  }
}
