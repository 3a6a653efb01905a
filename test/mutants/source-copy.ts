import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a planted bug changes. */
export interface PlantedChange {
  readonly name: string;
  /** Path below the copy. */
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A copy of the sources in which packages find each other as in the workspace, and the outside ones where they are.
 * @param packages names of folders below `packages`, or paths from the root
 */
export async function copyTree(packages: readonly string[], folders: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mutants-'));
  await mkdir(join(folder, 'node_modules/@holdfast'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === '@holdfast' || name.startsWith('.')) continue;
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
  for (const given of packages) {
    const path = given.includes('/') ? given : join('packages', given);
    for (const part of ['package.json', 'src'])
      await cp(join(root, path, part), join(folder, path, part), { recursive: true });
    await symlink(join(folder, path), join(folder, 'node_modules/@holdfast', basename(path)), 'junction');
  }
  for (const name of folders) await cp(join(root, name), join(folder, name), { recursive: true });
  return folder;
}

/** Runs Node.js to its end. */
export function outputOf(folder: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Does something while a bug is planted in the copy. */
export async function withBug<T>(folder: string, bug: PlantedChange, act: () => Promise<T>): Promise<T> {
  const path = join(folder, bug.file);
  const source = await readFile(path, 'utf8');
  const found = source.split(bug.find).length - 1;
  if (found !== 1) throw new Error(`${bug.name}: found ${found} times in ${bug.file}; has the code moved?`);
  await writeFile(
    path,
    source.replace(bug.find, () => bug.replace),
  );
  try {
    return await act();
  } finally {
    await writeFile(path, source);
  }
}
