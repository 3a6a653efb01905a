import type { TopicInfo } from '@holdfast/engine';
import { topicId } from '@holdfast/model';
import type { LeaderLog, LeaderStore, OutsideLog, OutsideStore } from '../simulation/leader-reads.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';

/** As much of a store and a log as a leader reads: which generation, which highest epoch and fence, which topics. */
export class SimulatedStore implements OutsideStore, OutsideLog {
  #generation = 1;
  readonly highestEpoch: number;
  readonly highestFence: number;
  downUntilMs = 0;
  readonly #topics = new Map<string, TopicInfo>();
  readonly #time: VirtualTime;

  constructor(time: VirtualTime, highestEpoch: number, highestFence: number) {
    this.#time = time;
    this.highestEpoch = highestEpoch;
    this.highestFence = highestFence;
  }

  get isDown(): boolean {
    return this.#time.nowMs < this.downUntilMs;
  }

  get generationId(): string {
    return `generation-${this.#generation}`;
  }

  wipe(): string {
    this.#generation++;
    return this.generationId;
  }

  get topics(): readonly TopicInfo[] {
    return [...this.#topics.values()];
  }

  setTopic(topic: string, partitions: number): void {
    this.#topics.set(topic, { topic, topicId: topicId(`id-of-${topic}`), partitions });
  }

  get leaderStore(): LeaderStore {
    return {
      generationId: async () => this.#read(this.generationId),
      adopt: async () => this.#read({ code: 'OK', results: [true] } as const),
      highestEpoch: async () => this.#read(this.highestEpoch),
      read: async () => this.#read(null),
    };
  }

  get leaderLog(): LeaderLog {
    return {
      describe: async (topic) => this.#read(this.#topics.get(topic) ?? null),
      endOffsets: async (topic) =>
        this.#read(Array.from({ length: this.#topics.get(topic)?.partitions ?? 0 }, () => 0)),
      highestFence: async () => this.#read(this.highestFence),
    };
  }

  #read<T>(value: T): T {
    if (this.isDown) throw new Error('the store is down');
    return value;
  }
}
