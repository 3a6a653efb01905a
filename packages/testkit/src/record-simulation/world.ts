import type { LeaseRecord } from '@holdfast/lease';
import { type Rng, SeededRng, type ShardIndex, type TopicId } from '@holdfast/model';
import { type Job, RecordCounters } from '@holdfast/processor';
import { checkApply } from './checks.ts';
import { countingJob } from './counting-job.ts';
import { LeaseLog } from './lease-log.ts';
import { drawPlan, type Plan, type ProfileName } from './profile.ts';
import { SimulatedNode } from './simulated-node.ts';
import { SimulatedStore } from './simulated-store.ts';

export const topicId = 'T1' as TopicId;
export const shard0 = 0 as ShardIndex;

/** A committed offset, with the store's generation that it was committed under. */
export interface Committed {
  readonly offset: number;
  readonly generation: number;
}

/** All state of one simulated history. */
export class World {
  readonly rng: Rng;
  readonly plan: Plan;
  readonly log = new LeaseLog();
  readonly store = new SimulatedStore();
  readonly nodes: readonly SimulatedNode[];
  readonly committed: (Committed | null)[];
  /** Ids of outputs and dead letters that the log of records has acknowledged. */
  readonly published = new Set<string>();
  readonly counters = new RecordCounters();
  readonly job: Job;
  readonly trace: string[] = [];
  readonly faults: Record<string, number> = {};
  faultsLeft: number;
  lossesLeft: number;
  /** When the faults stop. */
  faultsEndMs: number;
  healing = false;
  /** One step is one millisecond. */
  nowMs = 0;

  constructor(seed: number, profile: ProfileName) {
    this.rng = new SeededRng(seed);
    this.plan = drawPlan(this.rng, profile);
    this.nodes = Array.from({ length: this.plan.nodes }, (_, i) => new SimulatedNode(i));
    this.committed = this.plan.partitions.map(() => null);
    this.faultsLeft = this.plan.faults;
    this.lossesLeft = this.plan.losses;
    this.faultsEndMs = Math.max(this.plan.steps, this.plan.stepsBeforeLossMax);
    this.job = countingJob((key, state, partition, offset) =>
      checkApply(this.plan.partitions, key, state, partition, offset),
    ) as Job;
    this.append({ kind: 'epochBase', base: 1000 });
    this.append({ kind: 'generationChanged', storeGeneration: 'g1', number: 1, continues: true });
    this.append({ kind: 'topicSet', topic: 'in', topicId, partitions: this.plan.partitions.length });
  }

  say(text: string): void {
    this.trace.push(text);
  }

  append(record: LeaseRecord): void {
    const index = this.log.append(record);
    this.say(`LOG ${index} ${JSON.stringify(record)}`);
  }

  /** How many records of a partition exist by now. */
  readable(partition: number): number {
    return this.lossesLeft > 0 && !this.healing
      ? this.plan.readableBeforeLoss[partition]!
      : this.plan.partitions[partition]!.length;
  }
}
