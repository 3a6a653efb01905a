import type { QueuedEvent } from './event-queue.ts';
import { SimulationFailure } from './failure.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { withoutHost } from './without-host.ts';

/** How often the order of things is looked at while it is waited for. */
const lookMs = 50;

/**
 * A transfer of leadership that was ordered before the healing is over so long after it: what was clogged then, and slow,
 * takes 5.5 s, and a transfer an election timeout.
 */
const transferMsMax = 7_000;

/** What a run of any simulation of a cluster gives. */
export interface SimulationResult {
  readonly virtualMs: number;
  readonly events: number;
  /** Faults that took effect, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** How much each checker saw. */
  readonly seen: Readonly<Record<string, number>>;
  /** Why the history proves too little to count; null when it counts. */
  readonly thin: string | null;
  /** Equal for equal histories (I24). */
  readonly hash: string;
}

/** A history: something that runs to its end once. */
export interface Simulation {
  readonly trace: readonly string[];
  run(): Promise<SimulationResult>;
}

export interface SeedOutcome {
  readonly failure: string | null;
  readonly result: SimulationResult | null;
  readonly lines: readonly string[];
}

/** Runs a seed, twice if wanted: then the second history has to be the first again (I24). Never rejects. */
export async function runSimulation(make: () => Simulation, twice: boolean): Promise<SeedOutcome> {
  const simulation = make();
  try {
    const result = await simulation.run();
    if (twice) {
      const { hash } = await make().run();
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

/** Lets a world go on, and ends the run with the first failure that any checker reports. */
export class WorldRun {
  readonly #world: SimulatedWorld;
  readonly #onEvent: (event: QueuedEvent) => void;
  #lookAtMs = 0;

  /** @param onEvent called after every event, beside the checkers of the control planes */
  constructor(world: SimulatedWorld, onEvent: (event: QueuedEvent) => void = () => {}) {
    this.#world = world;
    this.#onEvent = onEvent;
  }

  /** @throws SimulationFailure naming what broke, also by what no promise's owner heard of */
  within<T>(act: () => Promise<T>): Promise<T> {
    return withoutHost(act, (error) =>
      this.#world.report(
        `ASSERT: unhandled: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      ),
    );
  }

  /** @returns whether `isEnough` said so before the time was over */
  async pass(durationMs: number, isEnough: () => boolean = () => false): Promise<boolean> {
    const { time } = this.#world;
    const isOver = await time.run(time.nowMs + durationMs, (event) => this.#afterEvent(event, isEnough));
    if (this.#world.failure !== null) throw this.#world.failure;
    return isOver;
  }

  /** Nobody loses a session or the lead without a reason. */
  async stayCalm(durationMs: number): Promise<void> {
    const world = this.#world;
    const termNow = (): number | null => world.leader?.control?.leadership.term ?? null;
    const ends = world.checks.model.ended.size;
    const restMs = Math.min(durationMs, Math.max(0, world.healedAtMs + transferMsMax - world.time.nowMs));
    await this.pass(restMs);
    const term = termNow();
    await this.pass(durationMs - restMs);
    if (termNow() !== term) this.fail(`I8: without a fault term ${term} ended, ${termNow()} is the next`);
    const [newest] = [...world.checks.model.ended].slice(ends);
    if (newest !== undefined)
      this.fail(`I8: without a fault session ${newest[0]} ended at ${newest[1].index} (${newest[1].reason})`);
  }

  fail(text: string): never {
    throw new SimulationFailure(text);
  }

  #afterEvent(event: QueuedEvent, isEnough: () => boolean): boolean {
    const world = this.#world;
    const { owner } = event;
    if (owner !== null) {
      const node = world.nodes.find(({ process }) => process === owner);
      if (node !== undefined) world.checks.afterEvent(node);
    }
    this.#onEvent(event);
    if (world.failure !== null) return true;
    if (world.time.nowMs < this.#lookAtMs) return false;
    this.#lookAtMs = world.time.nowMs + lookMs;
    return isEnough();
  }
}
