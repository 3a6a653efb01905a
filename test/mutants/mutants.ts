import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlTestBugs } from './control-test-bugs.ts';
import { longRunBugs } from './long-run-bugs.ts';
import { type PlantedBug, plantedBugs } from './planted-bugs.ts';
import { plantedClusterBugs } from './planted-cluster-bugs.ts';
import { plantedControlBugs } from './planted-control-bugs.ts';
import { plantedIngestBugs } from './planted-ingest-bugs.ts';
import { plantAndTest } from './planted-tests.ts';
import { recordPathBugs } from './record-path-bugs.ts';
import { requiredTable } from './required-table.ts';
import { startBugs } from './start-bugs.ts';
import { unitTestBugs } from './unit-test-bugs.ts';

/**
 * Plants each bug in a copy of the sources and looks whether the simulation that is to see it does, by the checker that
 * is to, or the unit tests that are to: `npm run mutants -- [--seeds N] [WORDS OF NAMES...]`. A bug that survives, or is seen by another, fails the run.
 * `-- --required` plants nothing: it lists the mistakes that have to be planted, with what sees them.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What the simulations are made of. */
const packages = ['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit'];
/** What these need of the outside. */
const outside = ['zod'];
/** What the unit tests are made of that see bugs no simulation does. */
const testPackages = [...packages, 'embedded', 'stream-kafka'];
const testFolders = ['packages/raft/test'];
const recordProfiles = ['mixed', 'focus', 'late'];
const defaultSeeds = 20_000;
/** A seed of a cluster is two virtual minutes and more, and has many faults. */
const clusterSeedsMax = 200;

/** A copy of the sources in which packages find each other as in the workspace. */
async function copyTree(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mutants-'));
  await mkdir(join(folder, 'node_modules/@holdfast'), { recursive: true });
  for (const name of packages) {
    for (const part of ['package.json', 'src']) {
      await cp(join(root, 'packages', name, part), join(folder, 'packages', name, part), { recursive: true });
    }
    await symlink(join(folder, 'packages', name), join(folder, 'node_modules/@holdfast', name), 'junction');
  }
  for (const name of outside) {
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
  return folder;
}

function simulate(folder: string, profile: string, seeds: number): Promise<string> {
  const script = join(folder, 'packages/testkit/src/simulate.ts');
  const args = ['--conditions=source', script, '--stop', '--profile', profile, '--seeds', String(seeds)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

/** How the bug was caught, e.g. `focus seed 17: gap: …`; null when it survived. */
async function tryBug(folder: string, bug: PlantedBug, seeds: number): Promise<string | null> {
  const path = join(folder, 'packages', bug.file);
  const source = await readFile(path, 'utf8');
  const found = source.split(bug.find).length - 1;
  if (found !== 1) throw new Error(`${bug.name}: found ${found} times in ${bug.file}; has the code moved?`);
  await writeFile(
    path,
    source.replace(bug.find, () => bug.replace),
  );
  try {
    // Most bugs need few seeds of any profile: a short look at each comes first.
    const looks: readonly (readonly [profiles: readonly string[], seeds: number])[] =
      bug.profile === undefined
        ? [
            [recordProfiles, 500],
            [recordProfiles, seeds],
          ]
        : [[[bug.profile], clusterSeedsMax]];
    for (const [from, share] of looks) {
      for (const profile of from) {
        const output = await simulate(folder, profile, Math.min(share, seeds));
        const failure = /^seed (\d+): (.*)$/m.exec(output);
        if (failure !== null) return checked(bug, `${profile} seed ${failure[1]}`, failure[2]!);
        if (!/\d+ passed, 0 failed\s*$/.test(output)) {
          console.log(`  ${bug.name}: the simulation broke:\n${output}`);
          return null;
        }
      }
    }
    return null;
  } finally {
    await writeFile(path, source);
  }
}

/** By the right checker? Another one would be luck, which the next change of the simulation may end. */
function checked(bug: PlantedBug, where: string, failure: string): string | null {
  const isRight = bug.caughtBy?.some((name) => failure.startsWith(`${name}:`)) ?? true;
  if (!isRight) console.log(`  ${bug.name}: seen by ${failure.slice(0, 100)}, expected ${bug.caughtBy?.join(', ')}`);
  return isRight ? `${where}: ${failure.slice(0, 100)}` : null;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--required')) {
    console.log(requiredTable());
    return 0;
  }
  const seedsAt = args.indexOf('--seeds');
  const seeds = seedsAt < 0 ? defaultSeeds : Number(args[seedsAt + 1]);
  const words = args.filter((_, i) => seedsAt < 0 || (i !== seedsAt && i !== seedsAt + 1));
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    words.length === 0 || words.some((word) => name.includes(word));
  const bugs = [...plantedBugs, ...plantedIngestBugs, ...plantedControlBugs, ...plantedClusterBugs].filter(isChosen);
  const testBugs = [...controlTestBugs, ...unitTestBugs, ...startBugs, ...longRunBugs, ...recordPathBugs].filter(
    isChosen,
  );
  if (!Number.isInteger(seeds) || seeds < 1 || bugs.length + testBugs.length === 0) {
    console.error('usage: npm run mutants -- [--required | [--seeds N] [WORDS OF NAMES...]]');
    return 2;
  }
  const survivors = testBugs.length === 0 ? 0 : await plantAndTest(testBugs, testPackages, testFolders);
  const survived = survivors + (await simulateAll(bugs, seeds));
  console.log(`${bugs.length + testBugs.length - survived} passed, ${survived} failed`);
  return survived === 0 ? 0 : 1;
}

/** @returns how many survived */
async function simulateAll(bugs: readonly PlantedBug[], seeds: number): Promise<number> {
  if (bugs.length === 0) return 0;
  const folder = await copyTree();
  let survived = 0;
  try {
    for (const bug of bugs) {
      const caught = await tryBug(folder, bug, seeds);
      if (caught === null) survived++;
      console.log(
        `${caught === null ? 'SURVIVED' : 'caught  '} ${bug.rule} ${bug.name}${caught === null ? '' : ` | ${caught}`}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return survived;
}

process.exitCode = await main(process.argv.slice(2));
