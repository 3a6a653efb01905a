import { SimulationFailure } from '../record-simulation/failure.ts';
import { ControlWorld } from './control-world.ts';
import type { QueuedEvent } from './event-queue.ts';
import { Faults } from './faults.ts';
import { calmMs, heal, recoveryMsMax, whatIsMissing } from './liveness.ts';
import { withoutHost } from './without-host.ts';
import { beginWorkload } from './workload.ts';

export interface ControlSimulationResult {
  readonly virtualMs: number;
  readonly events: number;
  /** Faults that took effect, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** How much each checker saw. */
  readonly seen: Readonly<Record<string, number>>;
  /** Equal for equal histories (I24). */
  readonly hash: string;
}

/**
 * Runs a seed, twice if wanted: then the second history has to be the first again (I24). Never rejects.
 */
export async function runSeed(
  seed: number,
  { trace, twice }: { readonly trace: boolean; readonly twice: boolean },
): Promise<{ failure: string | null; result: ControlSimulationResult | null; lines: readonly string[] }> {
  const simulation = new ControlSimulation(seed, trace);
  try {
    const result = await simulation.run();
    if (twice) {
      const { hash } = await new ControlSimulation(seed).run();
      if (hash !== result.hash)
        throw new SimulationFailure(`I24: the trace is ${result.hash}, and ${hash} the second time`);
    }
    return { failure: null, result, lines: simulation.trace };
  } catch (error) {
    const failure =
      error instanceof SimulationFailure ? error.message : String(error instanceof Error ? error.stack : error);
    return { failure, result: null, lines: simulation.trace };
  }
}

/** How often the order of things is looked at while it is waited for. */
const lookMs = 50;

/**
 * The shipped control planes of a cluster in virtual time, one seed one history: first faults of many kinds, with the
 * invariants checked after every event, then none, and all has to come in order within a time, and to stay so.
 */
export class ControlSimulation {
  readonly #world: ControlWorld;
  #lookAtMs = 0;

  constructor(seed: number, isTraced = false) {
    this.#world = new ControlWorld(seed, isTraced);
  }

  /** What happened, in order; empty unless traced. */
  get trace(): readonly string[] {
    return this.#world.trace.lines;
  }

  /** Runs to the end. @throws SimulationFailure naming what broke */
  run(): Promise<ControlSimulationResult> {
    return withoutHost(
      () => this.#run(),
      (error) =>
        this.#world.report(
          `ASSERT: unhandled: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        ),
    );
  }

  async #run(): Promise<ControlSimulationResult> {
    const world = this.#world;
    const { time, plan } = world;
    for (const node of world.nodes) node.begin();
    beginWorkload(world);
    new Faults(world).begin();
    await this.#pass(plan.faultsMs);
    heal(world);
    const isInOrder = await this.#pass(recoveryMsMax, () => whatIsMissing(world) === null);
    if (!isInOrder) this.#fail(`I8: ${recoveryMsMax} ms after the last fault ${whatIsMissing(world)}`);
    await this.#stayCalm();
    const { faults, checks, crashedWrites } = world;
    const kinds = Object.values(faults).length;
    const count = Object.values(faults).reduce((sum, n) => sum + n, 0);
    if (count < 5 || kinds < 3) this.#fail(`proves nothing: ${count} faults of ${kinds} kinds`);
    const seen: Record<string, number> = {
      ...checks.seen,
      writesKept: crashedWrites.kept,
      writesUndone: crashedWrites.undone + crashedWrites.torn,
    };
    for (const name of ['entries', 'leaders', 'votes', 'leases', 'acts', 'answers'] as const) {
      if (!seen[name]) this.#fail(`proves nothing: no checker saw any ${name}`);
    }
    return { virtualMs: time.nowMs, events: time.eventCount, faults, seen, hash: world.trace.hash };
  }

  /** Nobody loses a session or the lead without a reason. */
  async #stayCalm(): Promise<void> {
    const world = this.#world;
    const termNow = (): number | null => world.leader?.control?.leadership.term ?? null;
    const term = termNow();
    const ends = world.checks.model.ended.size;
    await this.#pass(calmMs);
    if (termNow() !== term) this.#fail(`I8: without a fault term ${term} ended, ${termNow()} is the next`);
    const [newest] = [...world.checks.model.ended].slice(ends);
    if (newest !== undefined)
      this.#fail(`I8: without a fault session ${newest[0]} ended at ${newest[1].index} (${newest[1].reason})`);
  }

  async #pass(durationMs: number, isEnough: () => boolean = () => false): Promise<boolean> {
    const { time } = this.#world;
    const isOver = await time.run(time.nowMs + durationMs, (event) => this.#afterEvent(event, isEnough));
    if (this.#world.failure !== null) throw this.#world.failure;
    return isOver;
  }

  #afterEvent({ owner }: QueuedEvent, isEnough: () => boolean): boolean {
    const world = this.#world;
    if (owner !== null) {
      const node = world.nodes.find(({ process }) => process === owner);
      if (node !== undefined) world.checks.afterEvent(node);
    }
    if (world.failure !== null) return true;
    if (world.time.nowMs < this.#lookAtMs) return false;
    this.#lookAtMs = world.time.nowMs + lookMs;
    return isEnough();
  }

  #fail(text: string): never {
    throw new SimulationFailure(text);
  }
}
