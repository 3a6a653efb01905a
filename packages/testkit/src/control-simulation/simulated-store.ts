import type { BackupStore, Log, TopicInfo } from '@holdfast/engine';
import { topicId } from '@holdfast/model';
import type { VirtualTime } from './virtual-time.ts';

/** As much of a store and a log as a leader reads: which generation, which highest epoch, which topics. */
export class SimulatedStore {
  generation = 1;
  readonly highestEpoch: number;
  downUntilMs = 0;
  readonly #topics = new Map<string, TopicInfo>();
  readonly #time: VirtualTime;

  constructor(time: VirtualTime, highestEpoch: number) {
    this.#time = time;
    this.highestEpoch = highestEpoch;
  }

  get isDown(): boolean {
    return this.#time.nowMs < this.downUntilMs;
  }

  get generationId(): string {
    return `generation-${this.generation}`;
  }

  get topics(): readonly TopicInfo[] {
    return [...this.#topics.values()];
  }

  setTopic(topic: string, partitions: number): void {
    this.#topics.set(topic, { topic, topicId: topicId(`id-of-${topic}`), partitions });
  }

  get store(): Pick<BackupStore, 'generationId' | 'highestEpoch'> {
    return {
      generationId: async () => this.#read(this.generationId),
      highestEpoch: async () => this.#read(this.highestEpoch),
    };
  }

  get log(): Pick<Log, 'describe'> {
    return { describe: async (topic) => this.#read(this.#topics.get(topic) ?? null) };
  }

  #read<T>(value: T): T {
    if (this.isDown) throw new Error('the store is down');
    return value;
  }
}
