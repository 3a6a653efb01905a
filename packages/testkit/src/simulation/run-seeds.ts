import { Worker } from 'node:worker_threads';
import { codeDigest } from './code-digest.ts';
import { ResumeFile } from './resume-file.ts';
import { SeedSums } from './seed-sums.ts';
import type { SeedReport, SeedTask } from './seed-worker.ts';

/** A simulation of which many seeds can be run. */
export interface SeedProfile {
  readonly name: string;
  /** Exports `runSeed`: see `SimulationModule`. */
  readonly module: URL;
  /** Seeds that have failed once. */
  readonly corpus: readonly { readonly seed: number; readonly found: string }[];
  readonly faultKinds: readonly string[];
  /** From this many seeds on, a kind of fault that never fired fails the run: it proved nothing about that kind. */
  readonly seedsThatShowAll: number;
  /** Kinds of faults, and what checkers saw, of which only ten times as many seeds must have some. */
  readonly rare?: ReadonlySet<string>;
  /** One in so many seeds runs twice: the traces have to be the same (I24). */
  readonly twiceEvery: number;
}

export interface SeedRunSettings {
  readonly seeds: number;
  readonly first: number;
  readonly trace: boolean;
  readonly stop: boolean;
  /** Where the run remembers what is done; null: nowhere. */
  readonly resume: string | null;
  /** Print a line per seed that the corpus or `first` names, and the summary. */
  readonly print: (line: string) => void;
}

const workers = 2;

/** Runs the corpus, then fresh seeds, on two threads. @returns how many failed */
export async function runSeeds(profile: SeedProfile, settings: SeedRunSettings): Promise<number> {
  const { print, trace, resume, first } = settings;
  const sums = new SeedSums();
  const code = codeDigest();
  const file = resume === null ? null : new ResumeFile(resume, { profile: profile.name, first, code });
  const tasks = new Tasks(profile, settings, file, sums);
  const startMs = performance.now();
  await inWorkers(profile.module, tasks, (report) => {
    tasks.reported(report);
    sums.add(report);
    file?.note(report);
    show(profile.name, report, print);
  });
  const seconds = (performance.now() - startMs) / 1000;
  for (const line of sums.lines(profile.name, profile.faultKinds, seconds)) print(line);
  const seedsThatShow = (what: string): number => profile.seedsThatShowAll * (profile.rare?.has(what) ? 10 : 1);
  const silent = sums.silent(profile.faultKinds).filter((what) => sums.passed >= seedsThatShow(what));
  if (!trace && silent.length > 0) {
    print(`never fired: ${silent.join(', ')}`);
    sums.failed++;
  }
  print(`of the code ${code}, by the digest of its sources`);
  print(`${sums.passed} passed, ${sums.failed} failed`);
  return sums.failed;
}

/** Which seed comes next: the corpus, fresh ones, and another for each that proved too little. */
class Tasks {
  readonly #profile: SeedProfile;
  readonly #settings: SeedRunSettings;
  readonly #done: ReadonlySet<number>;
  readonly #corpus: SeedTask[] = [];
  #next: number;
  #left: number;
  #hasFailed = false;

  constructor(profile: SeedProfile, settings: SeedRunSettings, file: ResumeFile | null, sums: SeedSums) {
    this.#profile = profile;
    this.#settings = settings;
    this.#next = settings.first;
    this.#left = settings.seeds;
    this.#done = new Set(file?.done.keys());
    for (const noted of file?.done.values() ?? []) {
      sums.add(noted);
      this.#left += noted.result?.thin ? 1 : 0;
    }
    sums.earlierMs = sums.virtualMs;
    // One seed alone is asked for to be looked at.
    if (settings.trace || settings.seeds === 1) return;
    for (const { seed, found } of profile.corpus) {
      if (!this.#done.has(seed)) this.#corpus.push({ seed, found, trace: false, twice: true });
    }
  }

  take(): SeedTask | null {
    const { trace, stop, first, seeds } = this.#settings;
    if (stop && this.#hasFailed) return null;
    const known = this.#corpus.shift();
    if (known !== undefined) return known;
    while (this.#left > 0) {
      this.#left--;
      const seed = this.#next++;
      if (this.#done.has(seed)) continue;
      const isFirst = seed === first;
      const twice = !trace && seeds > 1 && (seed - first) % this.#profile.twiceEvery === 0;
      return { seed, trace: trace && isFirst, twice, found: null };
    }
    return null;
  }

  reported({ failure, result, found }: SeedReport): void {
    if (failure !== null) this.#hasFailed = true;
    // Whoever asks for one seed wants that one.
    if (result?.thin && found === null && this.#settings.seeds > 1) this.#left++;
  }
}

async function inWorkers(module: URL, tasks: Tasks, onReport: (report: SeedReport) => void): Promise<void> {
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), { workerData: module.href });
      worker.on('message', (report: SeedReport) => {
        onReport(report);
        worker.postMessage(tasks.take());
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      worker.postMessage(tasks.take());
    });
  await Promise.all(Array.from({ length: workers }, runOne));
}

function show(
  profile: string,
  { seed, found, failure, result, lines }: SeedReport,
  print: (line: string) => void,
): void {
  for (const line of lines) print(line);
  if (result !== null && result.thin !== null && found !== null) print(`seed ${seed} of the corpus: ${result.thin}`);
  if (failure === null) return;
  print(`seed ${seed}: ${failure}`);
  if (found !== null) print(`  of the corpus, where it found: ${found}`);
  print(`  again: npm run sim -- --profile ${profile} --seed ${seed} --trace`);
}
