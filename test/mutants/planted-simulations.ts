import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { recordProfiles } from '@holdfast/testkit';
import { typeErrorsOf } from './bug-types.ts';
import type { PlantedBug } from './planted-bugs.ts';
import type { Verdict } from './planted-tests.ts';
import { copyTree, outputOf, withBug } from './source-copy.ts';

/** What the simulations are made of. */
export const simulatedPackages = ['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit'];

/** A seed of a cluster is two virtual minutes and more, and has many faults. */
const clusterSeedsMax = 200;
const shortLook = 500;
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
    const wrong = await typeErrorsOf(folder, bugs.map(inPackages));
    for (const bug of bugs) {
      const error = wrong.get(bug.name);
      const { caught, text } =
        error === undefined ? await simulateBug(folder, bug, seeds) : { caught: false, text: error };
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
  return withBug(folder, inPackages(bug), async () => {
    for (const { profile, first, seeds: share } of looksFor(bug, seeds)) {
      const script = join(folder, 'packages/testkit/src/simulate.ts');
      const run = ['--profile', profile, '--seed', String(first), '--seeds', String(share)];
      const { output } = await outputOf(folder, ['--conditions=source', script, '--stop', ...run]);
      const failure = /^seed (\d+): (.*)$/m.exec(output);
      if (failure !== null) return verdictOn(bug, `${profile} seed ${failure[1]}`, failure[2]!);
      if (!/\d+ passed, 0 failed\s*$/.test(output))
        return { caught: false, text: `the simulation of ${profile} broke:\n${output}` };
    }
    return { caught: false, text: '' };
  });
}

const inPackages = (bug: PlantedBug): PlantedBug => ({ ...bug, file: join('packages', bug.file) });

interface Look {
  readonly profile: string;
  readonly first: number;
  readonly seeds: number;
}

/** Most bugs need few seeds of any profile: a short look at each comes before the long ones. */
function looksFor({ profile, seenAt }: PlantedBug, seeds: number): Look[] {
  const isOfRecords = profile === undefined || recordProfiles.some((name) => name === profile);
  const shares = isOfRecords ? [Math.min(shortLook, seeds), seeds] : [clusterSeedsMax];
  const profiles = profile === undefined ? recordProfiles : [profile];
  const looks = shares.flatMap((share) => profiles.map((each) => ({ profile: each, first: 1, seeds: share })));
  return seenAt === undefined ? looks : [{ profile: seenAt[0], first: seenAt[1], seeds: 1 }, ...looks];
}

/** By the right checker? Another one would be luck, which the next change of the simulation may end. */
function verdictOn({ caughtBy }: PlantedBug, where: string, failure: string): Verdict {
  const text = `${where}: ${failure.slice(0, textMax)}`;
  // Some checkers are told only that a node has ended: what is no code ends it, too.
  const isCode = !/\b(Reference|Syntax)Error: /.test(failure);
  if (isCode && caughtBy.some((name) => failure.startsWith(`${name}:`))) return { caught: true, text };
  return { caught: false, text: `${text}; expected ${caughtBy.join(', ')}` };
}
