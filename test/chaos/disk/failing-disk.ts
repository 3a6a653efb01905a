import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./failing-disk.c', import.meta.url));

/** Builds the library that stands between a node and its disk. @throws Error with what the compiler says */
export function buildFailingDisk(dir: string): string {
  const library = join(dir, 'failing-disk.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: ['ignore', 'pipe', 'pipe'] });
  return library;
}

/** Why there can be none here; null when there can. */
export function missingFailingDisk(): string | null {
  if (process.platform !== 'linux') return 'a disk that fails on command is Linux';
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-chaos-cc-'));
  try {
    buildFailingDisk(dir);
    return null;
  } catch (error) {
    return `there is no C compiler that works: ${(error as Error).message.split('\n')[0]}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What the Raft log's disk of a node does: all is well, a sync fails (once, and later ones succeed), nothing can be written, a sync takes long. */
export type DiskCommand = 'well' | 'eio' | 'erofs' | `slow ${number}`;

export const diskCommandPath = (runDir: string, id: string): string => join(runDir, `${id}.disk`);

/** Variables with which a node's Raft log is on such a disk. */
export function failingDiskEnv(library: string, runDir: string, id: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    CHAOS_DISK_FOLDER: `/nodes/${id}/raft`,
    CHAOS_DISK_COMMAND: diskCommandPath(runDir, id),
  };
}

export function commandDisk(runDir: string, id: string, command: DiskCommand): void {
  writeFileSync(diskCommandPath(runDir, id), command);
}

/** How many syncs the node's processes have asked for after one that failed. */
export function syncsAgain(runDir: string, id: string): number {
  const path = `${diskCommandPath(runDir, id)}.again`;
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}
