import { Faults } from '../simulation/faults.ts';
import { calmMs, heal, recoveryMsMax } from '../simulation/liveness.ts';
import { runSimulation, type SeedOutcome, type SimulationResult, WorldRun } from '../simulation/simulated-run.ts';
import { ControlWorld } from './control-world.ts';
import { whatIsMissing } from './liveness.ts';
import { beginWorkload } from './workload.ts';

/** Runs a seed, twice if wanted. Never rejects. */
export function runSeed(
  seed: number,
  { trace, twice }: { readonly trace: boolean; readonly twice: boolean },
): Promise<SeedOutcome> {
  return runSimulation(() => new ControlSimulation(seed, trace), twice);
}

/**
 * The shipped control planes of a cluster in virtual time, one seed one history: first faults of many kinds, with the
 * invariants checked after every event, then none, and all has to come in order within a time, and to stay so.
 */
export class ControlSimulation {
  readonly #world: ControlWorld;
  readonly #run: WorldRun;

  constructor(seed: number, isTraced = false) {
    this.#world = new ControlWorld(seed, isTraced);
    this.#run = new WorldRun(this.#world);
  }

  /** What happened, in order; empty unless traced. */
  get trace(): readonly string[] {
    return this.#world.trace.lines;
  }

  /** Runs to the end. @throws SimulationFailure naming what broke */
  run(): Promise<SimulationResult> {
    return this.#run.within(() => this.#toTheEnd());
  }

  async #toTheEnd(): Promise<SimulationResult> {
    const world = this.#world;
    const run = this.#run;
    const { time, plan } = world;
    for (const node of world.nodes) node.begin();
    beginWorkload(world);
    new Faults(world).begin();
    await run.pass(plan.faultsMs);
    heal(world);
    const isInOrder = await run.pass(recoveryMsMax, () => whatIsMissing(world) === null);
    if (!isInOrder) run.fail(`I8: ${recoveryMsMax} ms after the last fault ${whatIsMissing(world)}`);
    await run.stayCalm(calmMs);
    const { faults, checks, crashedWrites } = world;
    const kinds = Object.values(faults).length;
    const count = Object.values(faults).reduce((sum, n) => sum + n, 0);
    if (count < 5 || kinds < 3) run.fail(`proves nothing: ${count} faults of ${kinds} kinds`);
    const seen: Record<string, number> = {
      ...checks.seen,
      acts: world.holders.acts,
      writesKept: crashedWrites.kept,
      writesUndone: crashedWrites.undone + crashedWrites.torn,
    };
    for (const name of ['entries', 'leaders', 'votes', 'leases', 'acts', 'answers'] as const) {
      if (!seen[name]) run.fail(`proves nothing: no checker saw any ${name}`);
    }
    return { virtualMs: time.nowMs, events: time.eventCount, faults, seen, thin: null, hash: world.trace.hash };
  }
}
