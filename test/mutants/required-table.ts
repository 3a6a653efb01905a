import { controlTestBugs } from './control-test-bugs.ts';
import { gossipBugs } from './gossip-bugs.ts';
import { longRunBugs } from './long-run-bugs.ts';
import { plantedBugs } from './planted-bugs.ts';
import { plantedClusterBugs } from './planted-cluster-bugs.ts';
import { plantedControlBugs } from './planted-control-bugs.ts';
import { plantedIngestBugs } from './planted-ingest-bugs.ts';
import { recordPathBugs } from './record-path-bugs.ts';
import { redisBugs } from './redis-bugs.ts';
import { requiredMistakes } from './required.ts';
import { startBugs } from './start-bugs.ts';
import { unitTestBugs } from './unit-test-bugs.ts';

/** All that some command plants, but for the few of `chaos-mutants.ts`, which are mostly the same again. */
export const allBugs = [
  ...plantedBugs,
  ...plantedIngestBugs,
  ...plantedControlBugs,
  ...plantedClusterBugs,
  ...controlTestBugs,
  ...unitTestBugs,
  ...startBugs,
  ...longRunBugs,
  ...recordPathBugs,
  ...gossipBugs,
  ...redisBugs,
];

/** What has to see a planted bug: tests, or a simulation and there certain checkers. */
export function seenBy(bug: (typeof allBugs)[number]): string {
  if ('tests' in bug) return bug.tests.join(', ');
  return `simulation ${bug.profile ?? 'of the records'} (${bug.caughtBy.join(', ')})`;
}

/** The mistakes that have to be planted, each with its bugs and what sees them, or why it can't be made. */
export function requiredTable(): string {
  const bugOf = new Map(allBugs.map((bug) => [bug.name, bug]));
  return requiredMistakes
    .flatMap(({ rule, mistake, bugs, cannotBe }) => [
      `${rule}  ${mistake}`,
      ...bugs.map((name) => `     planted: ${name} | ${seenBy(bugOf.get(name)!)}`),
      ...(cannotBe === undefined ? [] : [`     can't be: ${cannotBe.why} | ${cannotBe.file}`]),
    ])
    .join('\n');
}
