import { plantChosen } from './planted-tests.ts';
import { redisBugs } from './redis-bugs.ts';

/** The bugs of the Redis store, each against real servers: `node test/mutants/redis-mutants.ts [WORDS OF NAMES...]`. */

const packages = ['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit', 'backup-redis'];
const folders = ['test/services', 'test/cluster/support', 'deploy'];

process.exitCode = await plantChosen(redisBugs, packages, folders, process.argv.slice(2));
