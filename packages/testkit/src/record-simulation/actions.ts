import { randomBelow, randomRatio } from '@holdfast/model';
import type { World } from './world.ts';

/** Every kind of fault that the simulation injects. */
export const faultKinds = [
  'crash',
  'expire',
  'force',
  'break',
  'close',
  'handOver',
  'moveUnit',
  'loseReply',
  'movePartition',
  'dropProposal',
  'loseStore',
  'loseBucket',
] as const;

export type FaultKind = (typeof faultKinds)[number];

interface Action {
  readonly weight: number;
  readonly act: () => void;
}

/**
 * What may happen next. How likely each kind is, at each place, is drawn once per history: so histories differ in
 * character, and one node lags while another hurries.
 */
export class Actions {
  readonly #world: World;
  /** By place: the leader first, then the nodes. */
  readonly #weights: readonly Map<string, number>[];
  readonly #faultWeights = new Map<string, number>();
  #actions: Action[] = [];
  #place = 0;

  constructor(world: World) {
    this.#world = world;
    this.#weights = [null, ...world.nodes].map(() => new Map());
  }

  /** What is added from now on happens at this node; -1 for the leader. */
  at(node: number): void {
    this.#place = node + 1;
  }

  /**
   * @param urgency how much likelier it gets once the faults stop: whatever lags catches up then
   * @param slowedAs what profiles that slow it call it
   */
  add(name: string, act: () => void, urgency = 1, slowedAs = name): void {
    const weights = this.#weights[this.#place]!;
    let weight = weights.get(name);
    if (weight === undefined) weights.set(name, (weight = 10 ** (randomRatio(this.#world.rng) * 2 - 1)));
    const { healing, plan } = this.#world;
    const isSecond = this.#place > 0 && this.#place % 2 === 0;
    const slowed = (plan.slowed[slowedAs] ?? 1) * (isSecond ? (plan.slowedOfSecond[slowedAs] ?? 1) : 1);
    this.#actions.push({ weight: healing ? urgency : weight * slowed, act });
  }

  /** One of the faults that a history has a budget of. */
  addFault(name: FaultKind, act: () => void): void {
    const world = this.#world;
    let weight = this.#faultWeights.get(name);
    if (weight === undefined) {
      weight = randomBelow(world.rng, 2) === 0 ? 0 : world.plan.faultWeight * 10 ** (randomRatio(world.rng) * 1.5);
      this.#faultWeights.set(name, weight);
    }
    if (world.healing || world.faultsLeft <= 0 || weight === 0) return;
    this.addPlannedFault(name, weight, () => {
      world.faultsLeft--;
      act();
    });
  }

  addPlannedFault(name: FaultKind, weight: number, act: () => void): void {
    const world = this.#world;
    const counted = () => {
      world.faults[name] = (world.faults[name] ?? 0) + 1;
      world.say(`FAULT ${name}`);
      act();
    };
    this.#actions.push({ weight, act: counted });
  }

  /** Does one of the actions, and forgets them all. False when there was none. */
  takeOne(): boolean {
    const actions = this.#actions;
    this.#actions = [];
    if (actions.length === 0) return false;
    let at = randomRatio(this.#world.rng) * actions.reduce((sum, { weight }) => sum + weight, 0);
    const chosen = actions.find(({ weight }) => (at -= weight) <= 0) ?? actions.at(-1)!;
    chosen.act();
    return true;
  }
}
