import { InvariantError } from '@holdfast/model';
import type { RecordCounters } from '@holdfast/processor';
import { fail, SimulationFailure } from '../simulation/failure.ts';
import { Actions } from './actions.ts';
import { checkEnd, isComplete } from './checks.ts';
import { offerLeaderSteps, offerLosses } from './leader-steps.ts';
import { offerNodeSteps } from './node-steps.ts';
import type { ProfileName } from './profile.ts';
import { World } from './world.ts';

export interface SimulationResult {
  readonly steps: number;
  readonly counters: RecordCounters;
  /** Faults injected, by kind. */
  readonly faults: Readonly<Record<string, number>>;
}

/** Steps without faults after which everything has to be complete. */
const healedStepsMax = 20_000;

/**
 * The ownership and record protocol run on the shipped cores: a committed log of lease records that each node applies, and
 * each shard notices, with its own lag; streams that break, store answers that come late or never, crashes, session ends,
 * clean ends, moves, force-releases, partition moves, store losses. One seed is one history. Checks the gap rule at each
 * application, the rows, the committed offsets, and that everything completes once the faults stop.
 */
export class RecordSimulation {
  readonly #world: World;
  readonly #actions: Actions;

  constructor(seed: number, profile: ProfileName = 'mixed') {
    this.#world = new World(seed, profile);
    this.#actions = new Actions(this.#world);
  }

  /** What happened, in order. */
  get trace(): readonly string[] {
    return this.#world.trace;
  }

  /** Runs to the end. @throws SimulationFailure naming what broke */
  run(): SimulationResult {
    try {
      return this.#run();
    } catch (error) {
      // The cores' own assertions are checkers too.
      if (error instanceof InvariantError) throw new SimulationFailure(`ASSERT: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #run(): SimulationResult {
    const world = this.#world;
    let steps = 0;
    for (; world.nowMs < world.faultsEndMs; steps++) if (!this.#step()) break;
    world.healing = true;
    world.say('HEAL');
    for (let healed = 0; !isComplete(world); healed++, steps++) {
      if (healed > healedStepsMax || !this.#step()) {
        fail(`I8 stall: ${JSON.stringify(world.committed)} after ${healed} healed steps`);
      }
    }
    checkEnd(world);
    return { steps, counters: world.counters, faults: world.faults };
  }

  #step(): boolean {
    const world = this.#world;
    world.nowMs++;
    this.#actions.at(-1);
    offerLeaderSteps(world, this.#actions);
    offerLosses(world, this.#actions);
    for (const node of world.nodes) {
      this.#actions.at(node.number);
      offerNodeSteps(world, node, this.#actions);
    }
    return this.#actions.takeOne();
  }
}
