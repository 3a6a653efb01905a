import { parseArgs } from 'node:util';
import { JsonLinesError } from '@holdfast/testkit';
import { runAgainAsRoot } from './harness/as-root.ts';
import { missingFor } from './harness/missing.ts';
import { chaosDigest, ResultsFile } from './harness/results-file.ts';
import { type Outcome, runOnce } from './harness/run-once.ts';
import { nameOf, type Scenario } from './harness/scenario.ts';
import { elsewhere } from './scenarios/elsewhere.ts';
import { scenarioOf, scenarios, smoke } from './scenarios/index.ts';

/**
 * Real processes under fire: `npm run chaos -- ls | smoke | all | F04 [F11 ...] [--seed S] [--times N] [--results FILE]`.
 * What has passed by the same code, as FILE tells, is not run again: with a seed that is named, a long run goes on.
 */
const usage = 'usage: npm run chaos -- ls | smoke | all | F04 [F11 ...] [--seed S] [--times N] [--results FILE]';
const inCi = process.env.CI === 'true' || process.env.CI === '1';

async function main(): Promise<number> {
  const given = readArgs();
  if (given === null) {
    console.error(usage);
    return 2;
  }
  const { values, positionals, times, firstSeed } = given;
  if (positionals[0] === 'ls') {
    list();
    return 0;
  }
  const chosen = choose(positionals);
  if (chosen === null) return 2;
  const code = chaosDigest();
  const results = values.results === undefined ? null : openResults(values.results, code);
  if (results === undefined) return 2;
  const asRoot = inCi && chosen.some(({ needs }) => needs.length > 0) ? runAgainAsRoot() : null;
  if (asRoot !== null) return asRoot;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const outcomes: Outcome[] = [];
  const skipped: string[] = [];
  let earlier = 0;
  for (const scenario of chosen) {
    const name = nameOf(scenario);
    const missing = missingFor(scenario);
    if (missing !== null) {
      console.log(`\n!! ${name} is SKIPPED: ${missing}`);
      skipped.push(name);
      continue;
    }
    for (let i = 0; i < times && !stop.signal.aborted; i++) {
      const seed = firstSeed + i;
      if (results?.hasPassed(name, seed)) {
        earlier++;
        continue;
      }
      console.log(`\n== ${name} seed ${seed}: ${scenario.title}`);
      const outcome = await runOnce(scenario, seed, stop.signal);
      outcomes.push(outcome);
      console.log(describe(outcome));
      results?.note(outcome, new Date());
    }
  }
  console.log(`\nof the code ${code}, by the digest of its sources`);
  const failures = summarize(outcomes, earlier, skipped);
  const hasRun = outcomes.length + earlier > 0 || chosen.length === skipped.length;
  return failures === 0 && hasRun ? 0 : 1;
}

/** Null: not as `usage` says. */
function readArgs() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { seed: { type: 'string' }, times: { type: 'string' }, results: { type: 'string' } },
    });
    const times = Number(values.times ?? 1);
    const firstSeed = values.seed === undefined ? 1 + (Date.now() % 1_000_000) : Number(values.seed);
    if (positionals.length === 0 || !isCount(times) || !isCount(firstSeed)) return null;
    return { values, positionals, times, firstSeed };
  } catch {
    return null;
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

function choose(names: readonly string[]): readonly Scenario[] | null {
  if (names[0] === 'all') return scenarios;
  const wanted = names[0] === 'smoke' ? smoke : names;
  const found = wanted.map((name) => scenarioOf(name.toUpperCase()));
  const unknown = wanted.filter((_, i) => found[i] === null);
  if (unknown.length > 0) {
    console.error(`no scenario ${unknown.join(', ')}: npm run chaos -- ls`);
    return null;
  }
  return found as Scenario[];
}

/** Undefined, and said, when it can't be: better now than after the first scenario. */
function openResults(path: string, code: string): ResultsFile | undefined {
  try {
    return new ResultsFile(path, code);
  } catch (error) {
    if (!(error instanceof JsonLinesError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

function list(): void {
  for (const { faults, title, injects, holds, needs } of scenarios) {
    const also = faults.length > 1 ? ` (also ${faults.slice(1).join(', ')})` : '';
    console.log(`${faults[0]}${also}: ${title}${needs.length === 0 ? '' : `; needs ${needs.join(', ')}`}`);
    console.log(`  injects: ${injects}`);
    console.log(`  holds: ${holds}`);
  }
  console.log('\nnot here:');
  for (const [fault, where] of Object.entries(elsewhere)) console.log(`${fault}: ${where}`);
}

function describe({ name, seed, violations, result, kept }: Outcome): string {
  const seen = result === null ? '' : `  ${JSON.stringify(result.seen)}`;
  if (violations.length === 0)
    return `ok ${name} seed ${seed}: ${result!.records} records, ${result!.seconds.toFixed(1)} s${seen}`;
  return [
    `FAILED ${name} seed ${seed}${seen}`,
    ...violations.slice(0, 10).map((text) => `  ${text}`),
    ...(violations.length > 10 ? [`  and ${violations.length - 10} more`] : []),
    ...(kept === null ? [] : [`  logs and history: ${kept}`]),
    `  again: npm run chaos -- ${name} --seed ${seed}`,
  ].join('\n');
}

/**
 * @param earlier runs that a file of results says have passed
 * @returns how many things are wrong
 */
function summarize(outcomes: readonly Outcome[], earlier: number, skipped: readonly string[]): number {
  const failed = outcomes.filter(({ violations }) => violations.length > 0);
  const before = earlier === 0 ? '' : ` (${earlier} of them before)`;
  const passed = earlier + outcomes.length - failed.length;
  console.log(`${passed} passed${before}, ${failed.length} failed, ${skipped.length} skipped`);
  for (const { name, seed, violations } of failed) console.log(`  FAILED ${name} seed ${seed}: ${violations[0]}`);
  if (skipped.length > 0) console.log(`  SKIPPED ${skipped.join(', ')}`);
  const mayNotSkip = inCi && skipped.some((name) => smoke.includes(name));
  if (mayNotSkip) console.log('CI=true: nothing of the smoke set may be skipped');
  return failed.length + (mayNotSkip ? 1 : 0);
}

process.exitCode = await main();
