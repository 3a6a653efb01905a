import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { typeErrorsOf } from './bug-types.ts';
import { plantedClusterBugs } from './planted-cluster-bugs.ts';
import { copyTree, outputOf, withBug } from './source-copy.ts';

/**
 * Plants bugs in a copy of the sources and runs a scenario of `test/chaos` on it: real processes have to show them too.
 * `node test/mutants/chaos-mutants.ts [WORDS OF NAMES...]`
 *
 * Not those of which real processes hardly ever meet the interleaving: with the table's word to go back, say, comes the end
 * of the stream, which has the same done.
 */

interface ChaosBug {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The scenario that shows it, and the invariants that may be the first to break. */
  readonly fault: string;
  readonly caughtBy: readonly string[];
}

/** A bug that the simulation of the whole cluster knows. */
function known(name: string, fault: string, caughtBy: readonly string[]): ChaosBug {
  const bug = plantedClusterBugs.find((one) => one.name === `cluster: ${name}`);
  if (bug === undefined) throw new Error(`no planted bug is called ${name}`);
  return { name, file: `packages/${bug.file}`, find: bug.find, replace: bug.replace, fault, caughtBy };
}

const bugs: readonly ChaosBug[] = [
  {
    name: 'the store ignores the epoch',
    file: 'packages/embedded/src/lmdb-backup-store.ts',
    find: 'const greater = header.epoch < write.epoch || (header.epoch === write.epoch && header.seq < write.seq);',
    replace: "results[i] = { code: 'OK' };\n            const greater = true;",
    fault: 'F04',
    caughtBy: ['I2', 'I3'],
  },
  {
    name: 'the first of several outputs is acknowledged and not written',
    file: 'packages/embedded/src/lmdb-log.ts',
    find: 'const blocks = encodeBlocks(records, this.clock.wallUnixMs());',
    replace:
      "const blocks = encodeBlocks(topic === 'in' ? records : records.slice(records.length > 1 ? 1 : 0), this.clock.wallUnixMs());",
    fault: 'F38',
    caughtBy: ['P6'],
  },
  {
    name: 'entries are confirmed before they are on disk',
    file: 'packages/embedded/src/lmdb-raft-storage.ts',
    find: 'if (snapshot === null) await this.#inTurn(write(null));',
    replace: 'if (snapshot === null) void this.#inTurn(write(null));',
    fault: 'F25',
    caughtBy: ['I8', 'I14'],
  },
  known('what is applied is committed, not what is durable', 'F01', ['I5', 'I6', 'I8']),
  known('duplicates are not dropped', 'F01', ['I5', 'I6', 'I7']),
  known('rows count as accepted before the store has answered', 'F27', ['I5', 'I6', 'I7']),
  known('a restored state has rounded its floats', 'F01', ['I23', 'I5']),
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const seed = '7';
const triesMax = 3;

/** What the scenario said first; null when it saw nothing. */
async function firstViolation(folder: string, fault: string, nth: number): Promise<string | null> {
  const main = join(folder, 'test/chaos/main.ts');
  const args = ['--conditions=source', main, fault, '--seed', `${Number(seed) + nth}`];
  const { code, output } = await outputOf(folder, args);
  const kept = /logs and history: (\S+)/.exec(output)?.[1];
  if (kept !== undefined) await rm(kept, { recursive: true, force: true });
  if (code === 0) return null;
  return (/^\s+(?:Error: )?((?:I|P)\d+: .*)$/m.exec(output)?.[1] ?? output.slice(-300)).slice(0, 160);
}

async function main(words: readonly string[]): Promise<number> {
  const chosen = bugs.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  const packages = [...(await readdir(join(root, 'packages'))), 'apps/access-anomaly'];
  const folders = [
    'test/chaos',
    'test/services',
    'test/cluster/support',
    'test/package.json',
    'package.json',
    'deploy',
  ];
  const folder = await copyTree(packages, folders);
  let survived = 0;
  try {
    const wrong = await typeErrorsOf(folder, chosen);
    for (const bug of chosen) {
      const caught =
        wrong.get(bug.name) ??
        (await withBug(folder, bug, async () => {
          for (let nth = 0; nth < triesMax; nth++) {
            const violation = await firstViolation(folder, bug.fault, nth);
            if (violation !== null) return violation;
          }
          return null;
        }));
      const isRight = caught !== null && bug.caughtBy.some((invariant) => caught.startsWith(`${invariant}: `));
      if (!isRight) survived++;
      console.log(`${isRight ? 'caught  ' : 'SURVIVED'} ${bug.fault} ${bug.name} | ${caught ?? ''}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${chosen.length - survived} passed, ${survived} failed`);
  return survived === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
