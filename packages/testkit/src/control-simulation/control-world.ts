import type { Rng } from '@holdfast/model';
import { randomBelow } from '@holdfast/model';
import type { LeaderLog, LeaderStore } from '../simulation/leader-reads.ts';
import type { SimulatedNode } from '../simulation/simulated-node.ts';
import { randomnessOf, SimulatedWorld } from '../simulation/simulated-world.ts';
import { OneHolder } from './checkers/one-holder.ts';
import { drawPlan, type Plan } from './plan.ts';
import { SimulatedShard } from './simulated-shard.ts';
import { SimulatedStore } from './simulated-store.ts';

/** The world of control planes: shards are models, store and log are what a leader reads of them. */
export class ControlWorld extends SimulatedWorld<SimulatedShard> {
  override readonly plan: Plan;
  override readonly store: SimulatedStore;
  override readonly log: SimulatedStore;
  readonly holders: OneHolder;

  constructor(seed: number, isTraced: boolean) {
    const { own, next } = randomnessOf(seed);
    const planRng = next();
    super(own, next(), isTraced);
    this.plan = drawPlan(planRng);
    this.store = new SimulatedStore(this.time, this.plan.storeHighestEpoch, this.plan.logHighestFence);
    this.log = this.store;
    this.store.setTopic('in', this.plan.partitions);
    this.assemble(next);
    this.holders = new OneHolder((text) => this.report(text), this.checks.model);
  }

  override leaderReads(): { readonly log: LeaderLog; readonly store: LeaderStore } {
    return { log: this.store.leaderLog, store: this.store.leaderStore };
  }

  override newShards(node: SimulatedNode<SimulatedShard>, rng: Rng): SimulatedShard[] {
    const { plan, store } = this;
    return Array.from(
      { length: plan.shardsPerNode },
      (_, index) =>
        new SimulatedShard({
          process: node.process!,
          rng,
          nodeId: node.id,
          index,
          serial: this.nextSerial(),
          units: plan.units,
          events: this.holders,
          storeGeneration: () => (store.isDown ? null : store.generationId),
        }),
    );
  }

  override endSession(node: SimulatedNode<SimulatedShard>, rng: Rng, then: () => void): void {
    for (const shard of node.shards) shard.end();
    node.process!.receive(5 + randomBelow(rng, 100), 'new shards', then);
  }
}
