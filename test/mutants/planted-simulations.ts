import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlantedBug } from './planted-bugs.ts';
import { copyTree, outputOf, type Verdict, withBug } from './planted-tests.ts';

/** What the simulations are made of. */
export const simulatedPackages = ['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit'];

const recordProfiles = ['mixed', 'focus', 'late'];
/** A seed of a cluster is two virtual minutes and more, and has many faults. */
const clusterSeedsMax = 200;
const textMax = 100;

/**
 * Plants each bug in a copy of the sources and looks whether the simulation that is to see it does, by a checker that is
 * to. Prints a line for each.
 * @param seeds of each profile of the record simulation, at most
 * @returns how many survived
 */
export async function plantAndSimulate(bugs: readonly PlantedBug[], seeds: number): Promise<number> {
  if (bugs.length === 0) return 0;
  const folder = await copyTree(simulatedPackages, []);
  let survived = 0;
  try {
    for (const bug of bugs) {
      const { caught, text } = await simulateBug(folder, bug, seeds);
      if (!caught) survived++;
      console.log(`${caught ? 'caught  ' : 'SURVIVED'} ${bug.rule} ${bug.name} | ${text}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return survived;
}

/** How the bug was caught, e.g. `focus seed 17: I7 gap: …`, or what else came of it. */
export async function simulateBug(folder: string, bug: PlantedBug, seeds: number): Promise<Verdict> {
  const { file, profile } = bug;
  // Most bugs need few seeds of any profile: a short look at each comes first.
  const looks: readonly (readonly [profiles: readonly string[], seeds: number])[] =
    profile === undefined
      ? [
          [recordProfiles, 500],
          [recordProfiles, seeds],
        ]
      : [[[profile], clusterSeedsMax]];
  return withBug(folder, { ...bug, file: join('packages', file) }, async () => {
    for (const [profiles, share] of looks) {
      for (const each of profiles) {
        const output = await simulate(folder, each, Math.min(share, seeds));
        const failure = /^seed (\d+): (.*)$/m.exec(output);
        if (failure !== null) return verdictOn(bug, `${each} seed ${failure[1]}`, failure[2]!);
        if (!/\d+ passed, 0 failed\s*$/.test(output))
          return { caught: false, text: `the simulation of ${each} broke:\n${output}` };
      }
    }
    return { caught: false, text: '' };
  });
}

async function simulate(folder: string, profile: string, seeds: number): Promise<string> {
  const script = join(folder, 'packages/testkit/src/simulate.ts');
  const args = ['--conditions=source', script, '--stop', '--profile', profile, '--seeds', String(seeds)];
  return (await outputOf(folder, args)).output;
}

/** By the right checker? Another one would be luck, which the next change of the simulation may end. */
function verdictOn({ caughtBy }: PlantedBug, where: string, failure: string): Verdict {
  const text = `${where}: ${failure.slice(0, textMax)}`;
  // Some checkers are told only that a node has ended: what is no code ends it, too.
  const isCode = !/\b(Reference|Syntax)Error: /.test(failure);
  if (isCode && caughtBy.some((name) => failure.startsWith(`${name}:`))) return { caught: true, text };
  return { caught: false, text: `${text}; expected ${caughtBy.join(', ')}` };
}
