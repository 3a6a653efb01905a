import { LogError, type NewRecord, type OffsetCommit, type TopicInfo, type TopicPosition } from '@holdfast/engine';
import { type NodeId, type PartitionId, partitionKey, type Rng, randomBelow, topicId } from '@holdfast/model';
import { offsetAt, type StoredRecord } from '../log-batch.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import type { ServiceState } from './service-line.ts';

export interface LogPartition {
  readonly records: StoredRecord[];
  /** Who leads it. */
  broker: number;
  /** Nobody does, until then. */
  movingUntilMs: number;
  /** Readers at its end. */
  readonly waiters: Set<() => void>;
}

interface Broker {
  downUntilMs: number;
  frozenUntilMs: number;
}

/** The store of the cluster whose commits are in the log already: no store here has its id. */
export const generationIdBefore = 'store-of-another-cluster';

/** Who looks at what the log does. */
export interface LogEvents {
  onAppended(topic: string, records: readonly NewRecord[]): void;
  onCommitted(commit: OffsetCommit, isFenced: boolean, before: OffsetCommit | undefined): void;
}

const brokerCount = 3;

/** The log of the world: topics whose partitions are led by brokers, committed offsets, and what is wrong now. */
export class ClusterLog {
  readonly #time: VirtualTime;
  readonly #rng: Rng;
  readonly events: LogEvents;
  /** Whether it refuses commits under older leases of a partition; Kafka can't. */
  readonly #fences: boolean;
  readonly #topics = new Map<string, { info: TopicInfo; readonly partitions: LogPartition[] }>();
  readonly commits = new Map<string, OffsetCommit>();
  readonly #brokers: Broker[] = Array.from({ length: brokerCount }, () => ({ downUntilMs: 0, frozenUntilMs: 0 }));
  repliesLostUntilMs = 0;
  /** Nodes that can't reach it, and until when. */
  readonly cutOff = new Map<NodeId, number>();

  constructor(time: VirtualTime, rng: Rng, events: LogEvents, fences: boolean) {
    this.#time = time;
    this.#rng = rng;
    this.events = events;
    this.#fences = fences;
  }

  get topics(): readonly TopicInfo[] {
    return [...this.#topics.values()].map(({ info }) => info);
  }

  describe(topic: string): TopicInfo | null {
    return this.#topics.get(topic)?.info ?? null;
  }

  /** Makes the topic, or gives it more partitions. */
  setTopic(topic: string, count: number): TopicInfo {
    const known = this.#topics.get(topic);
    const partitions = known?.partitions ?? [];
    while (partitions.length < count) {
      const broker = randomBelow(this.#rng, brokerCount);
      partitions.push({ records: [], broker, movingUntilMs: 0, waiters: new Set() });
    }
    const info = { topic, topicId: topicId(`id-of-${topic}`), partitions: partitions.length };
    if (known === undefined) this.#topics.set(topic, { info, partitions });
    else known.info = info;
    return info;
  }

  partition(topic: string, number: number): LogPartition {
    const partition = this.#topics.get(topic)?.partitions[number];
    if (partition === undefined) throw new LogError('UNKNOWN_TOPIC', `there is no ${topic}/${number}`);
    return partition;
  }

  offsetsAt(topic: string, position: TopicPosition, partitions?: readonly number[]): number[] {
    if (partitions !== undefined) return partitions.map((p) => offsetAt(this.partition(topic, p).records, position));
    return this.#topics.get(topic)?.partitions.map(({ records }) => offsetAt(records, position)) ?? [];
  }

  append(topic: string, number: number, records: readonly NewRecord[], appendedUnixMs: number): number {
    const partition = this.partition(topic, number);
    const first = partition.records.length;
    for (const record of records) partition.records.push({ ...record, appendedUnixMs });
    this.events.onAppended(topic, records);
    for (const wake of [...partition.waiters]) wake();
    return first;
  }

  get highestFence(): number {
    if (!this.#fences) return 0;
    return [...this.commits.values()].reduce((highest, { fence }) => Math.max(highest, fence), 0);
  }

  committed(partition: PartitionId): OffsetCommit | undefined {
    return this.commits.get(partitionKey(partition));
  }

  commit(commit: OffsetCommit): 'ok' | 'fenced' {
    const key = partitionKey(commit.partition);
    const before = this.commits.get(key);
    const isFenced = this.#fences && before !== undefined && before.fence > commit.fence;
    if (!isFenced) this.commits.set(key, commit);
    this.events.onCommitted(commit, isFenced, before);
    return isFenced ? 'fenced' : 'ok';
  }

  /** Commits of a cluster that is gone. */
  inherit(topic: string, offset: number, fence: number): void {
    const { topicId, partitions } = this.describe(topic)!;
    for (let number = 0; number < partitions; number++) {
      const partition = { topicId, partition: number };
      this.commits.set(partitionKey(partition), { partition, offset, generationId: generationIdBefore, fence });
    }
  }

  /** The state, as a node finds it, of the broker that leads a partition; of the group's, for null. */
  state(partition: LogPartition | null, nodeId: NodeId): ServiceState {
    const { nowMs } = this.#time;
    const { downUntilMs, frozenUntilMs } = this.#brokers[partition?.broker ?? 0]!;
    return {
      isDown: nowMs < downUntilMs || nowMs < (partition?.movingUntilMs ?? 0),
      isCutOff: nowMs < (this.cutOff.get(nodeId) ?? 0),
      frozenUntilMs,
      lossRatio: 0,
      replyLossRatio: nowMs < this.repliesLostUntilMs ? 0.3 : 0,
      delayMsMax: 1,
    };
  }

  // What is done to it

  brokerDown(durationMs: number): string {
    const broker = randomBelow(this.#rng, brokerCount);
    this.#brokers[broker]!.downUntilMs = this.#time.nowMs + durationMs;
    // Others take over what it led, after a moment.
    for (const partition of this.#all()) if (partition.broker === broker) this.#moveLeader(partition, 200, 4_000);
    return `broker ${broker} for ${durationMs} ms`;
  }

  brokerStall(durationMs: number): string {
    const broker = randomBelow(this.#rng, brokerCount);
    this.#brokers[broker]!.frozenUntilMs = this.#time.nowMs + durationMs;
    return `broker ${broker} for ${durationMs} ms`;
  }

  leaderMoves(topic: string): string {
    const { partitions } = this.#topics.get(topic)!;
    const number = randomBelow(this.#rng, partitions.length);
    this.#moveLeader(partitions[number]!, 50, 3_000);
    return `${topic}/${number}`;
  }

  /** Someone sets committed offsets back, or forgets them. */
  rewind(by: number | null): string | null {
    const keys = [...this.commits.keys()];
    const key = keys[randomBelow(this.#rng, Math.max(1, keys.length))];
    const commit = this.commits.get(key ?? '');
    if (key === undefined || commit === undefined || commit.offset === 0) return null;
    if (by === null) this.commits.delete(key);
    else this.commits.set(key, { ...commit, offset: Math.max(0, commit.offset - by) });
    return `${key} from ${commit.offset} by ${by ?? 'all'}`;
  }

  heal(): void {
    for (const broker of this.#brokers) {
      broker.downUntilMs = 0;
      broker.frozenUntilMs = 0;
    }
    for (const partition of this.#all()) partition.movingUntilMs = 0;
    this.repliesLostUntilMs = 0;
    this.cutOff.clear();
  }

  #moveLeader(partition: LogPartition, leastMs: number, mostMs: number): void {
    partition.broker = (partition.broker + 1) % brokerCount;
    partition.movingUntilMs = this.#time.nowMs + leastMs + randomBelow(this.#rng, mostMs - leastMs);
  }

  *#all(): Iterable<LogPartition> {
    for (const { partitions } of this.#topics.values()) yield* partitions;
  }
}
