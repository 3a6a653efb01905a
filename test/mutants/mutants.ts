import { controlTestBugs } from './control-test-bugs.ts';
import { longRunBugs } from './long-run-bugs.ts';
import { plantedBugs } from './planted-bugs.ts';
import { plantedClusterBugs } from './planted-cluster-bugs.ts';
import { plantedControlBugs } from './planted-control-bugs.ts';
import { plantedIngestBugs } from './planted-ingest-bugs.ts';
import { plantAndSimulate, simulatedPackages } from './planted-simulations.ts';
import { plantAndTest } from './planted-tests.ts';
import { recordPathBugs } from './record-path-bugs.ts';
import { requiredTable } from './required-table.ts';
import { startBugs } from './start-bugs.ts';
import { unitTestBugs } from './unit-test-bugs.ts';

/**
 * Plants each bug in a copy of the sources and looks whether the simulation that is to see it does, by a checker that is
 * to, or the unit tests that are to: `npm run mutants -- [--seeds N] [WORDS OF NAMES...]`. A bug that survives, or is seen
 * by another, fails the run.
 * `-- --required` plants nothing: it lists the mistakes that have to be planted, with what sees them.
 */

/** What the unit tests are made of that see bugs no simulation does. */
const testPackages = [...simulatedPackages, 'embedded', 'stream-kafka'];
const testFolders = ['packages/raft/test'];
const defaultSeeds = 20_000;

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
  const survived = survivors + (await plantAndSimulate(bugs, seeds));
  console.log(`${bugs.length + testBugs.length - survived} passed, ${survived} failed`);
  return survived === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
