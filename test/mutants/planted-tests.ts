import { rm } from 'node:fs/promises';
import { typeErrorsOf } from './bug-types.ts';
import { copyTree, type PlantedChange, withBug } from './source-copy.ts';
import { firstFailure, type TestLimits } from './test-run.ts';

/** A small change to the sources that breaks an invariant; the tests named beside it have to see it. Paths from the root. */
export interface PlantedBug extends PlantedChange {
  readonly invariant: string;
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
    const wrong = await typeErrorsOf(folder, chosen);
    for (const bug of chosen) {
      const error = wrong.get(bug.name);
      const { caught, text } = error === undefined ? await tryBug(folder, bug) : { caught: false, text: error };
      if (!caught) survived++;
      console.log(`${caught ? 'caught  ' : 'SURVIVED'} ${bug.invariant} ${bug.name} | ${text}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return survived;
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
