import { gossipBugs } from './gossip-bugs.ts';
import { plantChosen } from './planted-tests.ts';

/** The bugs of the membership core, of the seal, and of names: `node test/mutants/gossip-mutants.ts [WORDS OF NAMES...]`. */

const packages = [
  ...['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit'],
  ...['gossip-swim', 'transport-grpc'],
];
const bugs = gossipBugs.map((bug) => ({
  ...bug,
  file: `packages/${bug.file}`,
  tests: bug.tests.map((file) => `packages/${file}`),
}));

process.exitCode = await plantChosen(bugs, packages, [], process.argv.slice(2));
