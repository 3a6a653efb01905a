import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What can stand between a node and its disk: a source in C beside this file. */
export type Preload = 'failing-disk' | 'unsynced-writes';

/** Builds a library for `LD_PRELOAD`. @returns its path @throws Error with what the compiler says */
export function buildPreload(dir: string, name: Preload): string {
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const library = join(dir, `${name}.so`);
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: ['ignore', 'pipe', 'pipe'] });
  return library;
}

/** Why there can be none here; null when there can. */
export function missingPreloads(): string | null {
  if (process.platform !== 'linux') return 'a library between a node and its disk is Linux';
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-chaos-cc-'));
  try {
    buildPreload(dir, 'failing-disk');
    return null;
  } catch (error) {
    return `there is no C compiler that works: ${(error as Error).message.split('\n')[0]}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
