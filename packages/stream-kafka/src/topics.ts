import { LogError } from '@holdfast/engine';
import { type TopicId, topicId } from '@holdfast/model';
import { createTopics, deleteTopics } from './apis/create-topics.ts';
import { noId, type PartitionMetadata, type TopicAsked } from './apis/metadata.ts';
import type { KafkaCluster } from './cluster.ts';
import { brokerError, KafkaError } from './errors.ts';
import { brokerErrors } from './wire/broker-errors.ts';

/** A topic as Metadata tells it. */
export interface KafkaTopic {
  readonly name: string;
  readonly id: TopicId;
  readonly idBytes: Buffer;
  /** By number. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface NewTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** A broker may lag behind the controller: what it doesn't know is believed to be gone after this many looks. */
const goneLooks = 3;
const goneLookPauseMs = 150;
const idBytesLength = 16;
const { leaderNotAvailable } = brokerErrors;

/** Topics by name and by identity. What is cached serves to find leaders and names; `look` is always fresh. */
export class Topics {
  readonly #cluster: KafkaCluster;
  readonly #cache = new Map<string, KafkaTopic>();
  readonly #names = new Map<TopicId, string>();

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
  }

  /**
   * Null when the broker that was asked knows none of the name.
   * @param unlike a broker that is asked only when no other one answers
   */
  async look(name: string, unlike?: number): Promise<KafkaTopic | null> {
    this.#cache.delete(name);
    return this.#ask({ name }, `topic ${name}`, unlike);
  }

  /** From the cache, if it is there. */
  async find(name: string): Promise<KafkaTopic | null> {
    return this.#cache.get(name) ?? this.look(name);
  }

  forget(name: string): void {
    this.#cache.delete(name);
  }

  /** The name of a topic's identity, from the cache if it is there; null once it is sure that there is no such topic. */
  async nameOf(id: TopicId): Promise<string | null> {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const bytes = Buffer.from(id, 'base64url');
    if (bytes.length !== idBytesLength) return null;
    const ask = () => this.#ask({ id: bytes }, `the topic with the id ${id}`);
    return (await this.#sure(ask, (found) => found !== null))?.name ?? null;
  }

  /** The topic, freshly looked up. @throws LogError UNKNOWN_TOPIC once that is sure */
  async existing(name: string): Promise<KafkaTopic> {
    const topic = await this.#sure(
      () => this.look(name),
      (found) => found !== null,
    );
    if (topic === null) throw new LogError('UNKNOWN_TOPIC', `there is no topic ${name}`);
    return topic;
  }

  /**
   * The topic, if it is still the same.
   * @param unlike as of `look`
   * @throws LogError TOPIC_CHANGED once it is sure that it isn't
   */
  async same(name: string, id: TopicId, unlike?: number): Promise<KafkaTopic> {
    const topic = await this.#sure(
      () => this.look(name, unlike),
      (found) => found?.id === id,
    );
    if (topic?.id === id) return topic;
    this.#names.delete(id);
    const now = topic === null ? 'it no longer exists' : `it now has the id ${topic.id}`;
    throw new LogError('TOPIC_CHANGED', `topic ${name} with the id ${id}: ${now}`);
  }

  /**
   * Creates the topic; resolves when all its partitions have leaders. One that is there already, which the broker that was
   * asked before did not know of, is taken as it is: its leaders may be away for long. @throws KafkaError
   */
  async create(name: string, wanted: NewTopic): Promise<KafkaTopic> {
    const what = `creating topic ${name} with ${wanted.partitions} partitions`;
    const created = await this.#cluster.retry(async () => {
      const timeoutMs = this.#cluster.options.requestTimeoutMs;
      const answer = await this.#cluster.askController(createTopics, { topic: name, ...wanted, timeoutMs });
      if (answer.error === brokerErrors.topicAlreadyExists) return null;
      if (answer.error !== 0) throw brokerError(what, answer.error, answer.message);
      return topicId(answer.id.toString('base64url'));
    });
    return this.#cluster.retry(async () => {
      const topic = await this.look(name);
      if (topic !== null && created === null) return topic;
      if (topic?.id === created && topic.partitions.every(({ leader }) => leader >= 0)) return topic;
      throw new KafkaError('BROKER', `${what}: not all partitions have leaders yet`, {
        brokerError: leaderNotAvailable,
      });
    });
  }

  /** Whether there was one. @throws KafkaError */
  async delete(name: string): Promise<boolean> {
    const deleted = await this.#cluster.retry(async () => {
      const timeoutMs = this.#cluster.options.requestTimeoutMs;
      const { error, message } = await this.#cluster.askController(deleteTopics, { topic: name, timeoutMs });
      if (error === brokerErrors.unknownTopicOrPartition) return false;
      if (error !== 0) throw brokerError(`deleting topic ${name}`, error, message);
      return true;
    });
    this.#cache.delete(name);
    return deleted;
  }

  async #sure(
    look: () => Promise<KafkaTopic | null>,
    isIt: (found: KafkaTopic | null) => boolean,
  ): Promise<KafkaTopic | null> {
    for (let looks = 1; ; looks++) {
      const found = await look();
      if (isIt(found) || looks === goneLooks) return found;
      await this.#cluster.pause(goneLookPauseMs);
      if (this.#cluster.isClosed) throw new KafkaError('CLOSED', 'the log is closed');
    }
  }

  async #ask(asked: TopicAsked, what: string, unlike?: number): Promise<KafkaTopic | null> {
    const { brokers, topics } = await this.#cluster.metadata([asked], unlike);
    const [topic] = topics;
    if (topic === undefined) return null;
    const { error, name, id, partitions } = topic;
    if (error === brokerErrors.unknownTopicOrPartition || error === brokerErrors.unknownTopicId) {
      if (brokers.length > 0) return null;
      // It would say so of any topic.
      throw new KafkaError('UNREACHABLE', `${what}: the broker that was asked knows of no brokers yet`);
    }
    if (error !== 0) throw brokerError(what, error);
    if (name === null) return null;
    if (id.equals(noId)) {
      const text = `topic ${name}: the brokers give topics no ids, by which one is told from another of its name`;
      throw new KafkaError('PROTOCOL', `${text}: raise inter.broker.protocol.version to 3.1 or newer on all of them`);
    }
    const found: KafkaTopic = {
      name,
      id: topicId(id.toString('base64url')),
      idBytes: id,
      partitions: byNumber(partitions),
    };
    this.#cache.set(name, found);
    // A topic that was recreated has another identity: the old one has no name any more.
    for (const [id, known] of this.#names) if (known === name && id !== found.id) this.#names.delete(id);
    this.#names.set(found.id, name);
    return found;
  }
}

/** Each at the place of its number. One that the answer leaves out is there, and has no leader that the broker knows of. */
function byNumber(told: readonly PartitionMetadata[]): PartitionMetadata[] {
  const count = told.reduce((most, { partition }) => Math.max(most, partition + 1), 0);
  const nothing = { error: leaderNotAvailable, leader: -1, leaderEpoch: -1, replicas: [], inSync: [] };
  const placed = Array.from({ length: count }, (_, partition): PartitionMetadata => ({ ...nothing, partition }));
  for (const one of told) placed[one.partition] = one;
  return placed;
}

/** The partition's leader. @throws LogError UNKNOWN_TOPIC for a number the topic doesn't have; KafkaError without leader */
export function leaderOf(topic: KafkaTopic, partition: number): PartitionMetadata {
  const found = topic.partitions[partition];
  if (found === undefined) {
    const count = topic.partitions.length;
    throw new LogError('UNKNOWN_TOPIC', `topic ${topic.name} has ${count} partitions, not one numbered ${partition}`);
  }
  if (found.leader < 0)
    throw brokerError(`partition ${topic.name}/${partition}`, leaderNotAvailable, 'it has no leader now');
  return found;
}
