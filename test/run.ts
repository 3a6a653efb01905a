import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitAt, firstSeedOf } from './fresh-seeds.ts';
import { addCounts, type Counts, countsOfReport, noCounts } from './report-counts.ts';
import { failuresOf } from './report-failures.ts';
import { missingRedis } from './services/redis-binaries.ts';
import { missingForKafka } from './services/support/kafka-jars.ts';

/**
 * Runs the tiers of tests in order: `node test/run.ts check` those that need nothing but this machine's processor,
 * `node test/run.ts all` everything. docs/TESTING.md says what each tier is for. With CI=true nothing may be skipped.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = process.env.CI === 'true' || process.env.CI === '1';
const testTimeoutMs = 120_000;
/** A command that prints nothing for so long is ended: what keeps one process from its end is not to take all of CI with it. */
const silenceMaxMs = 20 * 60_000;

interface Tier {
  readonly name: string;
  /** Printed before it begins. */
  readonly says?: string;
  readonly commands: readonly (readonly string[])[];
  /** Files of node:test; without them each command counts as one test. */
  readonly files?: readonly string[];
  /** Why this machine can't run it; null when it can. */
  readonly skipReason?: () => string | null;
  readonly inCheck: boolean;
}

const runTests = ['node', '--conditions=source', '--test', '--test-reporter=spec'];
const tests = [...runTests, '--test-concurrency=2', `--test-timeout=${testTimeoutMs}`];
/** Clusters of processes get the machine for themselves: their times are part of what is tested. */
const clusterTests = [...runTests, '--test-concurrency=1', '--test-timeout=900000'];

const commit = commitAt(root);
/** Each simulation runs its corpus and as many seeds that no other commit had. */
const freshFrom = String(commit === null ? 1 : firstSeedOf(commit));
const simulate = ['node', '--conditions=source', 'packages/testkit/src/simulate.ts', '--seed', freshFrom];
/** Real servers, one test file after the other: several groups of them would starve each other. */
const serviceTests = [...runTests, '--test-concurrency=1', '--test-timeout=900000'];

const tiers: readonly Tier[] = [
  {
    name: 'types',
    commands: [
      ['tsc', '-b'],
      ['tsc', '-p', 'tsconfig.test.json', '--noEmit'],
    ],
    inCheck: true,
  },
  { name: 'lint', commands: [['biome', 'ci', '.']], inCheck: true },
  { name: 'architecture', commands: [tests], files: ['test/*.test.ts', 'test/architecture/*.test.ts'], inCheck: true },
  {
    name: 'unit',
    commands: [tests],
    files: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/chaos/{history,proxy,scenarios}/*.test.ts'],
    skipReason: missingLmdb,
    inCheck: true,
  },
  {
    name: 'simulation',
    says: `seeds from ${freshFrom} on: ${commit === null ? 'git tells no commit' : `those of commit ${commit}`}`,
    commands: [
      [...simulate, '--profile', 'control', '--seeds', '300'],
      [...simulate, '--profile', 'cluster', '--seeds', '200'],
      [...simulate, '--profile', 'gossip', '--seeds', '100'],
    ],
    inCheck: false,
  },
  {
    name: 'services',
    commands: [serviceTests],
    files: ['test/services/*.test.ts'],
    skipReason: () =>
      process.platform === 'win32'
        ? 'Windows has no SIGSTOP, by which a server is frozen'
        : (missingRedis() ?? missingForKafka()),
    inCheck: false,
  },
  {
    name: 'cluster',
    commands: [clusterTests],
    files: ['test/cluster/*.test.ts'],
    skipReason: () =>
      process.platform === 'win32' ? 'Windows has no SIGSTOP, by which a node is suspended' : missingLmdb(),
    inCheck: false,
  },
  {
    name: 'chaos',
    commands: [['node', '--conditions=source', 'test/chaos/main.ts', 'smoke']],
    skipReason: () => (process.platform === 'win32' ? 'Windows has no SIGSTOP' : missingLmdb()),
    inCheck: false,
  },
];

function missingLmdb(): string | null {
  try {
    createRequire(join(root, 'packages/embedded/package.json'))('lmdb');
    return null;
  } catch (error) {
    return `the lmdb package has no build for this machine (${error instanceof Error ? error.message : error})`;
  }
}

interface TierResult {
  readonly name: string;
  readonly counts: Counts;
  readonly seconds: number;
  readonly skipReason: string | null;
  /** Lines that name what failed. */
  readonly failures: readonly string[];
}

/** Runs one command with its output passed through; what it printed is read for node:test's closing lines. */
function run(command: readonly string[]): Promise<{ code: number; output: string }> {
  const [program = '', ...args] = command;
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`;
  const env = { ...process.env, PATH: path, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' };
  console.log(`\n> ${shorten(command)}`);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const stop = (signal: NodeJS.Signals) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
    const silence = setTimeout(() => {
      console.log(`nothing was printed for ${silenceMaxMs / 60_000} minutes: SIGTERM`);
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 30_000).unref();
    }, silenceMaxMs);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      silence.refresh();
      output += text;
      process.stdout.write(text);
    });
    child.on('error', (cause) =>
      reject(new Error(`can't run ${program}: is node_modules complete? (npm ci)`, { cause })),
    );
    child.on('close', (code, signal) => {
      clearTimeout(silence);
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
      if (signal !== null) process.exitCode = 1;
      resolve({ code: code ?? 1, output });
    });
  });
}

function shorten(command: readonly string[]): string {
  return command.length <= 12 ? command.join(' ') : `${command.slice(0, 8).join(' ')} … (${command.length - 8} more)`;
}

async function runTier(tier: Tier): Promise<TierResult> {
  const { name, commands } = tier;
  console.log(`\n== ${name}`);
  if (tier.says !== undefined) console.log(tier.says);
  const files = tier.files?.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  const skipReason = files?.length === 0 ? `there is no ${tier.files?.join(', ')}` : (tier.skipReason?.() ?? null);
  if (skipReason !== null) {
    console.log(`skipped: ${skipReason}`);
    return { name, counts: noCounts, seconds: 0, skipReason, failures: [] };
  }
  const startMs = performance.now();
  let counts = noCounts;
  const failures: string[] = [];
  for (const command of commands) {
    const { code, output } = await run([...command, ...(files ?? [])]);
    const report = files === undefined ? null : countsOfReport(output);
    const failed = code !== 0 && (report === null || report.failed === 0) ? 1 : 0;
    counts = addCounts(counts, report ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 });
    counts = addCounts(counts, { passed: 0, failed, skipped: 0 });
    if (code !== 0) failures.push(...failuresOf(output));
  }
  return { name, counts, seconds: (performance.now() - startMs) / 1000, skipReason: null, failures };
}

function describe({ name, counts, seconds, skipReason }: TierResult): string {
  if (skipReason !== null) return `${name.padEnd(14)}skipped: ${skipReason}`;
  const { passed, failed, skipped } = counts;
  const tail = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${name.padEnd(14)}${passed} passed, ${failed} failed${tail}  (${seconds.toFixed(1)} s)`;
}

async function main(which: string | undefined): Promise<number> {
  if (which !== 'check' && which !== 'all') {
    console.error('usage: node test/run.ts check|all');
    return 2;
  }
  const results: TierResult[] = [];
  for (const tier of tiers) if (which === 'all' || tier.inCheck) results.push(await runTier(tier));
  let total = results.reduce((sum, { counts }) => addCounts(sum, counts), noCounts);
  const skippedTiers = results.filter(({ skipReason }) => skipReason !== null).length;

  console.log(`\n== summary (Node ${process.versions.node}, ${process.platform} ${process.arch})`);
  for (const result of results) console.log(describe(result));
  for (const { name, failures } of results) for (const line of failures) console.log(`${name}: ${line}`);
  if (inCi && skippedTiers + total.skipped > 0) {
    console.log(`CI=true: nothing may be skipped, but ${skippedTiers} tiers and ${total.skipped} tests were`);
    total = addCounts(total, { passed: 0, failed: skippedTiers + total.skipped, skipped: 0 });
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);
