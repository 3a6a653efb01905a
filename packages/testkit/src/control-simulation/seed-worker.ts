import { parentPort } from 'node:worker_threads';
import { type ControlSimulationResult, runSeed } from './control-simulation.ts';

/** A seed to run. */
export interface SeedTask {
  readonly seed: number;
  readonly trace: boolean;
  /** Twice, to compare the traces. */
  readonly twice: boolean;
  /** Of the corpus: what it found once. */
  readonly found: string | null;
}

export interface SeedReport extends SeedTask {
  readonly failure: string | null;
  readonly result: ControlSimulationResult | null;
  /** The history, if it was traced. */
  readonly lines: readonly string[];
}

/** A thread that runs seeds as they come, one after the other, until `null` comes. */
parentPort?.on('message', (task: SeedTask | null) => {
  if (task === null) {
    parentPort!.close();
    return;
  }
  runSeed(task.seed, task).then((outcome) => {
    const report: SeedReport = { ...task, ...outcome };
    parentPort!.postMessage(report);
  });
});
