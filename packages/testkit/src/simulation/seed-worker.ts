import { parentPort, workerData } from 'node:worker_threads';
import type { SeedOutcome } from './simulated-run.ts';

/** A seed to run. */
export interface SeedTask {
  readonly seed: number;
  readonly trace: boolean;
  /** Twice, to compare the traces. */
  readonly twice: boolean;
  /** Of the corpus: what it found once. */
  readonly found: string | null;
}

export type SeedReport = SeedTask & SeedOutcome;

/** What the module of a simulation exports. */
export interface SimulationModule {
  runSeed(seed: number, options: { readonly trace: boolean; readonly twice: boolean }): Promise<SeedOutcome>;
}

/** A thread that runs seeds as they come, one after the other, until `null` comes. */
async function serve(): Promise<void> {
  const { runSeed } = (await import(workerData as string)) as SimulationModule;
  parentPort!.on('message', (task: SeedTask | null) => {
    if (task === null) {
      parentPort!.close();
      return;
    }
    runSeed(task.seed, task).then((outcome) => {
      const report: SeedReport = { ...task, ...outcome };
      parentPort!.postMessage(report);
    });
  });
}

if (parentPort !== null) await serve();
