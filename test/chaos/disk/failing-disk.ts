import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a disk does: all is well, a sync fails (once, and later ones succeed), nothing can be written, a sync takes long. */
export type DiskCommand = 'well' | 'eio' | 'erofs' | `slow ${number}`;

export const diskCommandPath = (runDir: string, id: string): string => join(runDir, `${id}.disk`);

/**
 * Variables with which files of a node are on a disk that does as it is told.
 * @param folder a part of their paths
 */
export function failingDiskEnv(library: string, folder: string, runDir: string, id: string): Record<string, string> {
  return { LD_PRELOAD: library, CHAOS_DISK_FOLDER: folder, CHAOS_DISK_COMMAND: diskCommandPath(runDir, id) };
}

export function commandDisk(runDir: string, id: string, command: DiskCommand): void {
  writeFileSync(diskCommandPath(runDir, id), command);
}

/** How many syncs the node's processes have asked for after one that failed. */
export function syncsAgain(runDir: string, id: string): number {
  const path = `${diskCommandPath(runDir, id)}.again`;
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}
