import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `run/dev.json` in a data folder: where the nodes of its dev cluster listen, and what the folder was fed with. */
export interface DevFile {
  readonly schema: 'holdfast/dev-run/v1';
  /** Of the supervisor that wrote it. */
  readonly pid: number;
  readonly startedUnixMs: number;
  /** Records in the log are read by this mapping: a name, or the sum of a file. */
  readonly mapping: string;
  readonly nodes: readonly { readonly id: string; readonly address: string }[];
  /** The input of a run that has not come to its end; null when it has, or has none that can be gone on with. */
  readonly unfinishedInput: string | null;
  /** How often that input had been fed to its end when the run began: what was is none of its. Earlier versions don't say. */
  readonly completeBefore?: number;
}

export function runFolder(dataDir: string): string {
  return join(dataDir, 'run');
}

/** Null when there is none, or none that this version can read. */
export function readDevFile(dataDir: string): DevFile | null {
  try {
    const found = JSON.parse(readFileSync(join(runFolder(dataDir), 'dev.json'), 'utf8')) as DevFile;
    return found.schema === 'holdfast/dev-run/v1' && Array.isArray(found.nodes) ? found : null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Replaced whole: `status --data` may read at any moment. */
export function writeDevFile(dataDir: string, file: DevFile): void {
  const dir = runFolder(dataDir);
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'dev.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}
