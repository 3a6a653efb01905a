import {
  type CommitResult,
  type CommittedOffset,
  type Log,
  LogError,
  type LogReader,
  type NewRecord,
  type OffsetCommit,
  type TopicInfo,
  type TopicPosition,
} from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import { earliest, latest } from './apis/list-offsets.ts';
import type { BrokerAddress } from './apis/metadata.ts';
import { brokerLook, type LookedAt } from './broker-look.ts';
import { KafkaCluster } from './cluster.ts';
import { logError } from './errors.ts';
import { GroupOffsets } from './group-offsets.ts';
import { listedOffsets, offsetsSince } from './listed-offsets.ts';
import { type CompiledKafkaOptions, compileKafkaOptions, type KafkaEnvironment, type KafkaOptions } from './options.ts';
import type { RecordPath } from './record-path.ts';
import { type KafkaTopic, leaderOf, Topics } from './topics.ts';
import { WireRecordPath } from './wire-record-path.ts';

type RecordPathConstructor = new (cluster: KafkaCluster, topics: Topics) => RecordPath;

/** What `createKafkaTopic` may say beyond the settings. */
export interface KafkaTopicOptions {
  readonly replicationFactor?: number;
  readonly retentionMs?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** One partition of a topic, as its operators see it. */
export interface KafkaPartitionInfo {
  readonly partition: number;
  /** Node id; -1: none now. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface PartitionLag {
  readonly partition: number;
  /** Null: nothing committed. */
  readonly committed: number | null;
  readonly end: number;
  /** Records between the two; from the first one kept where nothing is committed. */
  readonly lag: number;
}

/**
 * Kafka behind the engine's log port. Partitions are assigned by leases, so no consumer group is joined: readers fetch
 * from leaders, and offsets are committed to the job's group as those of a group without members.
 */
export class KafkaLog implements Log {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #offsets: GroupOffsets;
  readonly #records: RecordPath;
  readonly #options: CompiledKafkaOptions;

  private constructor(options: CompiledKafkaOptions, environment: KafkaEnvironment, Path: RecordPathConstructor) {
    this.#options = options;
    this.#cluster = new KafkaCluster(options, environment);
    this.#topics = new Topics(this.#cluster);
    this.#offsets = new GroupOffsets(this.#cluster, this.#topics);
    this.#records = new Path(this.#cluster, this.#topics);
  }

  /**
   * Resolves once a broker has answered.
   * @throws KafkaOptionsError; LogError ACCESS_DENIED at once, LOG_IO after `retryTimeMs` with the addresses tried
   */
  static async open(options: KafkaOptions, environment: KafkaEnvironment): Promise<KafkaLog> {
    const compiled = compileKafkaOptions(options);
    // Loaded only by who chooses it.
    const usesKafkaJs = compiled.client === 'kafkajs';
    const Path = usesKafkaJs ? (await import('./kafkajs/kafkajs-record-path.ts')).KafkaJsRecordPath : WireRecordPath;
    const log = new KafkaLog(compiled, environment, Path);
    try {
      await log.#cluster.retry(() => log.#cluster.metadata([]));
      return log;
    } catch (error) {
      await log.close();
      throw logError(error);
    }
  }

  describe(topic: string): Promise<TopicInfo | null> {
    return this.#do(async () => {
      const found = await this.#cluster.retry(() => this.#topics.look(topic));
      return found === null ? null : infoOf(found);
    });
  }

  createTopic(topic: string, partitions: number): Promise<TopicInfo> {
    return this.createKafkaTopic(topic, partitions, {});
  }

  /**
   * As `createTopic`, with settings for this topic. What is there is only looked up: brokers refuse who may not create
   * before they look whether there is anything to create.
   */
  createKafkaTopic(topic: string, partitions: number, options: KafkaTopicOptions): Promise<TopicInfo> {
    return this.#do(async () => {
      const { createAllowed, replicationFactor, topicConfigs } = this.#options;
      const found = await this.#cluster.retry(() => this.#topics.look(topic));
      if (found !== null) return infoOf(found);
      if (!createAllowed) {
        const text = `there is no topic ${topic}, and createTopics.allowed is false: create it with ${partitions} partitions`;
        throw new LogError('UNKNOWN_TOPIC', text);
      }
      const retention = options.retentionMs === undefined ? {} : { 'retention.ms': String(options.retentionMs) };
      const created = await this.#topics.create(topic, {
        partitions,
        replicationFactor: options.replicationFactor ?? replicationFactor,
        configs: { ...topicConfigs, ...retention, ...options.configs },
      });
      return infoOf(created);
    });
  }

  /**
   * A question for whoever wants to know over and over whether the log is there for this process: it fails as long as a
   * broker that the job can't do without doesn't answer here.
   */
  newLook(job: LookedAt): () => Promise<void> {
    const look = brokerLook(this.#cluster, job);
    return () => this.#do(look);
  }

  /** The brokers that the cluster lists now. */
  brokers(): Promise<readonly BrokerAddress[]> {
    return this.#do(async () => (await this.#cluster.retry(() => this.#cluster.metadata([]))).brokers);
  }

  /** For tests and tools. False: there was none. */
  deleteTopic(topic: string): Promise<boolean> {
    return this.#do(() => this.#topics.delete(topic));
  }

  /** Leaders and replicas. @throws LogError UNKNOWN_TOPIC */
  partitions(topic: string): Promise<KafkaPartitionInfo[]> {
    return this.#do(async () => {
      const { partitions } = await this.#cluster.retry(() => this.#topics.existing(topic));
      return partitions.map(({ partition, leader, replicas, inSync }) => ({ partition, leader, replicas, inSync }));
    });
  }

  openReader(topic: string, partition: PartitionId, fromOffset: number): Promise<LogReader> {
    return this.#do(async () => this.#records.openReader(topic, partition, fromOffset));
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    return this.#do(async () => {
      const find = async () => (await this.#topics.find(topic)) ?? (await this.#topics.existing(topic));
      const found = await this.#cluster.retry(find);
      if (found.partitions[partition] === undefined) {
        leaderOf(await this.#cluster.retry(() => this.#topics.existing(topic)), partition);
      }
      if (records.length === 0) return (await this.#listed(topic, latest, [partition]))[0]!;
      return this.#records.append(topic, partition, records);
    });
  }

  committed(group: string, partition: PartitionId): Promise<CommittedOffset | null> {
    return this.#do(() => this.#offsets.committed(group, partition));
  }

  commit(group: string, commits: readonly OffsetCommit[]): Promise<CommitResult[]> {
    return this.#do(() => this.#offsets.commit(group, commits));
  }

  /** Kafka checks no fences. */
  async highestFence(): Promise<number> {
    return 0;
  }

  endOffsets(topic: string): Promise<number[]> {
    return this.offsetsAt(topic, 'latest');
  }

  offsetsAt(topic: string, position: TopicPosition, partitions?: readonly number[]): Promise<number[]> {
    return this.#do(async () => {
      const listed = (timestampUnixMs: number) => this.#listed(topic, timestampUnixMs, partitions);
      if (position === 'earliest') return listed(earliest);
      if (position === 'latest') return listed(latest);
      return offsetsSince(listed, position.timestampUnixMs);
    });
  }

  /** How far a group is behind, as Kafka's own tools tell it. @throws LogError UNKNOWN_TOPIC */
  lag(group: string, topic: string): Promise<PartitionLag[]> {
    return this.#do(async () => {
      const [starts, ends] = await Promise.all([this.#listed(topic, earliest), this.#listed(topic, latest)]);
      const numbers = ends.map((_, partition) => partition);
      const offsets = new Map(
        (await this.#offsets.all(group, topic, numbers)).map((found) => [found.partition, found]),
      );
      return ends.map((end, partition) => {
        const offset = offsets.get(partition)?.offset ?? -1;
        const committed = offset < 0 ? null : offset;
        return { partition, committed, end, lag: Math.max(end - (committed ?? starts[partition]!), 0) };
      });
    });
  }

  async close(): Promise<void> {
    if (this.#cluster.isClosed) return;
    await this.#records.close();
    this.#cluster.close();
  }

  #listed(topic: string, timestampUnixMs: number, partitions?: readonly number[]): Promise<number[]> {
    return listedOffsets(this.#cluster, this.#topics, topic, timestampUnixMs, partitions);
  }

  async #do<T>(run: () => Promise<T>): Promise<T> {
    if (this.#cluster.isClosed) throw new LogError('LOG_CLOSED', 'the log is closed');
    try {
      return await run();
    } catch (error) {
      throw logError(error);
    }
  }
}

function infoOf({ name, id, partitions }: KafkaTopic): TopicInfo {
  return { topic: name, topicId: id, partitions: partitions.length };
}
