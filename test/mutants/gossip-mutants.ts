import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GossipBug, gossipBugs } from './gossip-bugs.ts';

/**
 * Plants each bug of the membership core or the seal in a copy of the sources and looks whether the tests named beside it
 * see it: `node test/mutants/gossip-mutants.ts [WORDS OF NAMES...]`. A bug that survives fails the run.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = ['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit', 'gossip-swim'];

/** A copy of the sources in which packages find each other as in the workspace, and the outside ones where they are. */
async function copyTree(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mutants-'));
  await mkdir(join(folder, 'node_modules/@holdfast'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === '@holdfast' || name.startsWith('.')) continue;
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
  for (const name of packages) {
    for (const part of ['package.json', 'src']) {
      await cp(join(root, 'packages', name, part), join(folder, 'packages', name, part), { recursive: true });
    }
    await symlink(join(folder, 'packages', name), join(folder, 'node_modules/@holdfast', name), 'junction');
  }
  return folder;
}

/** The name of the first test that failed; null when all passed. */
function firstFailure(folder: string, tests: readonly string[]): Promise<string | null> {
  const files = tests.map((file) => join(folder, 'packages', file));
  const args = ['--conditions=source', '--test', '--test-reporter=spec', '--test-timeout=120000', ...files];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve(null);
      const failure = /I\d\d: .*|✖ (?!failing)(.*) \(/.exec(output.slice(Math.max(0, output.indexOf('✖'))));
      resolve((failure?.[1] ?? failure?.[0] ?? 'a failure').slice(0, 100));
    });
  });
}

async function tryBug(folder: string, bug: GossipBug): Promise<string | null> {
  const path = join(folder, 'packages', bug.file);
  const source = await readFile(path, 'utf8');
  const found = source.split(bug.find).length - 1;
  if (found !== 1) throw new Error(`${bug.name}: found ${found} times in ${bug.file}; has the code moved?`);
  await writeFile(
    path,
    source.replace(bug.find, () => bug.replace),
  );
  try {
    return await firstFailure(folder, bug.tests);
  } finally {
    await writeFile(path, source);
  }
}

async function main(words: readonly string[]): Promise<number> {
  const bugs = gossipBugs.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  const folder = await copyTree();
  let survived = 0;
  try {
    const broken = await firstFailure(folder, [...new Set(bugs.flatMap(({ tests }) => tests))]);
    if (broken !== null) throw new Error(`without a bug planted, this fails: ${broken}`);
    for (const bug of bugs) {
      const caught = await tryBug(folder, bug);
      if (caught === null) survived++;
      console.log(`${caught === null ? 'SURVIVED' : 'caught  '} ${bug.invariant} ${bug.name} | ${caught ?? ''}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${bugs.length - survived} passed, ${survived} failed`);
  return survived === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
