import { Worker } from 'node:worker_threads';
import { corpus } from './corpus.ts';
import { faultKinds } from './fault-kinds.ts';
import type { SeedReport, SeedTask } from './seed-worker.ts';

export interface ControlRunSettings {
  readonly seeds: number;
  readonly first: number;
  readonly trace: boolean;
  readonly stop: boolean;
  /** Print a line per seed that the corpus or `first` names, and the summary. */
  readonly print: (line: string) => void;
}

const workers = 2;
/** One in so many seeds runs twice: the traces have to be the same (I24). */
const twiceEvery = 20;
/** From this many seeds on, a kind of fault that never fired fails the run: it proved nothing about that kind. */
export const seedsThatShowAll = 100;

interface Sums {
  passed: number;
  failed: number;
  virtualMs: number;
  twice: number;
  readonly faults: Map<string, number>;
  readonly seen: Map<string, number>;
}

/** Runs the corpus, then fresh seeds, on two threads. @returns how many failed */
export async function runControlSeeds(settings: ControlRunSettings): Promise<number> {
  const { print, trace } = settings;
  const tasks = tasksOf(settings);
  const sums: Sums = { passed: 0, failed: 0, virtualMs: 0, twice: 0, faults: new Map(), seen: new Map() };
  const startMs = performance.now();
  await inWorkers(tasks, settings, (report) => note(report, sums, print));
  const seconds = (performance.now() - startMs) / 1000;
  const list = (map: ReadonlyMap<string, number>): string => [...map].map(([name, n]) => `${name} ${n}`).join(', ');
  const rate = sums.virtualMs / 1000 / seconds;
  print(
    `control: ${(sums.virtualMs / 60_000).toFixed(0)} virtual minutes in ${seconds.toFixed(0)} s, ${rate.toFixed(0)} virtual s/s`,
  );
  print(`faults: ${list(new Map(faultKinds.map((kind) => [kind, sums.faults.get(kind) ?? 0])))}`);
  print(`seen: ${list(sums.seen)}`);
  print(`run twice, the same trace: ${sums.twice}`);
  const silent = faultKinds.filter((kind) => !sums.faults.get(kind));
  const unseen = [...sums.seen].filter(([, n]) => n === 0).map(([name]) => name);
  if (!trace && sums.passed >= seedsThatShowAll && silent.length + unseen.length > 0) {
    print(`never fired: ${[...silent, ...unseen].join(', ')}`);
    sums.failed++;
  }
  print(`${sums.passed} passed, ${sums.failed} failed`);
  return sums.failed;
}

function tasksOf({ seeds, first, trace }: ControlRunSettings): SeedTask[] {
  const fresh = Array.from({ length: seeds }, (_, i): SeedTask => {
    return { seed: first + i, trace: trace && i === 0, twice: !trace && i % twiceEvery === 0, found: null };
  });
  // One seed alone is asked for to be looked at.
  if (trace || seeds === 1) return fresh;
  return [...corpus.map(({ seed, found }): SeedTask => ({ seed, found, trace: false, twice: true })), ...fresh];
}

async function inWorkers(
  tasks: readonly SeedTask[],
  { stop }: ControlRunSettings,
  onReport: (report: SeedReport) => void,
): Promise<void> {
  let next = 0;
  let hasFailed = false;
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./seed-worker.ts', import.meta.url));
      const give = (): void => {
        const task = stop && hasFailed ? undefined : tasks[next++];
        worker.postMessage(task ?? null);
      };
      worker.on('message', (report: SeedReport) => {
        if (report.failure !== null) hasFailed = true;
        onReport(report);
        give();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      give();
    });
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, runOne));
}

function note(report: SeedReport, sums: Sums, print: (line: string) => void): void {
  const { seed, found, failure, result, lines } = report;
  for (const line of lines) print(line);
  if (failure !== null) {
    sums.failed++;
    print(`seed ${seed}: ${failure}`);
    if (found !== null) print(`  of the corpus, where it found: ${found}`);
    print(`  again: npm run sim -- --profile control --seed ${seed} --trace`);
    return;
  }
  sums.passed++;
  if (result === null) return;
  sums.virtualMs += result.virtualMs * (report.twice ? 2 : 1);
  if (report.twice) sums.twice++;
  add(sums.faults, result.faults);
  add(sums.seen, result.seen);
}

function add(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + n);
}
