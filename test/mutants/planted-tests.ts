import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstFailure, type TestLimits } from './test-run.ts';

/** A small change to the sources that breaks an invariant; the tests named beside it have to see it. Paths from the root. */
export interface PlantedBug {
  readonly name: string;
  readonly invariant: string;
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly tests: readonly string[];
  /** A test may see it by not coming to its end: the bug is that something is never done. */
  readonly mayHang?: true;
  /** A test may see it by a `TypeError` or `RangeError`: the bug is that something from outside is used without a look. */
  readonly mayThrow?: true;
}

/** Whether a bug was caught, and by what. */
export interface Verdict {
  readonly caught: boolean;
  readonly text: string;
}

const textMax = 100;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** All of a program that is about bugs seen by tests: as `plantAndTest`, for those bugs whose names contain one of `words`. */
export async function plantChosen(
  bugs: readonly PlantedBug[],
  packages: readonly string[],
  folders: readonly string[],
  words: readonly string[],
): Promise<number> {
  const chosen = bugs.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  const survived = await plantAndTest(chosen, packages, folders);
  console.log(`${chosen.length - survived} passed, ${survived} failed`);
  return survived === 0 ? 0 : 1;
}

/**
 * Plants each bug in a copy of the sources and looks whether the tests named beside it see it. Prints a line for each.
 * @param packages what is copied of the workspace, by the folders' names
 * @param folders what is copied besides, from the root
 * @returns how many survived
 */
export async function plantAndTest(
  chosen: readonly PlantedBug[],
  packages: readonly string[],
  folders: readonly string[],
): Promise<number> {
  const folder = await copyTree(packages, folders);
  let survived = 0;
  try {
    const broken = await firstFailure(folder, [...new Set(chosen.flatMap(({ tests }) => tests))]);
    if (broken !== null) throw new Error(`without a bug planted, this fails: ${broken.name}: ${broken.text}`);
    for (const bug of chosen) {
      const { caught, text } = await tryBug(folder, bug);
      if (!caught) survived++;
      console.log(`${caught ? 'caught  ' : 'SURVIVED'} ${bug.invariant} ${bug.name} | ${text}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return survived;
}

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

/**
 * Plants a bug in the copy and looks whether a test sees it: by an assertion, or by what the bug says that may come of it.
 * Code that is no code any more is seen by every test, and shows nothing.
 */
export async function tryBug(folder: string, bug: PlantedBug, limits?: TestLimits): Promise<Verdict> {
  const failure = await withBug(folder, bug, () => firstFailure(folder, bug.tests, limits));
  if (failure === null) return { caught: false, text: '' };
  const { ending, name, text } = failure;
  if (ending === 'failed') return { caught: true, text: (/I\d\d: .*/.exec(text)?.[0] ?? name).slice(0, textMax) };
  const caught = (ending === 'hung' && bug.mayHang === true) || (ending === 'threw' && bug.mayThrow === true);
  return { caught, text: `${ending}: ${name}${caught ? '' : `: ${text.split('\n')[0]}`}`.slice(0, 2 * textMax) };
}

/** Does something while a bug is planted in the copy. */
export async function withBug<T>(
  folder: string,
  bug: Pick<PlantedBug, 'name' | 'file' | 'find' | 'replace'>,
  act: () => Promise<T>,
): Promise<T> {
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
