import { type CommittedOffset, LogError, type OffsetCommit } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import { findCoordinator } from './apis/find-coordinator.ts';
import { offsetCommit, type TopicOffsets } from './apis/offset-commit.ts';
import { type FetchedOffset, offsetFetch } from './apis/offset-fetch.ts';
import type { KafkaCluster } from './cluster.ts';
import { decodeCommitMetadata, encodeCommitMetadata } from './commit-metadata.ts';
import { brokerError, KafkaError } from './errors.ts';
import type { Topics } from './topics.ts';
import type { Api } from './wire/api.ts';
import { brokerErrors } from './wire/broker-errors.ts';

/**
 * Committed offsets of groups that have no members: partitions are assigned by leases, so nobody joins. Kafka checks
 * no fence here. None is needed: what a commit names is durable in the store whoever commits it (PROTOCOL.md 3.4), so
 * a late one of an older holder can only make the next start read again what is durable already.
 */
export class GroupOffsets {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #coordinators = new Map<string, number>();

  constructor(cluster: KafkaCluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  async committed(group: string, { topicId, partition }: PartitionId): Promise<CommittedOffset | null> {
    const topic = await this.#cluster.retry(() => this.#topics.nameOf(topicId));
    if (topic === null) return null;
    const [found] = await this.all(group, topic, [partition]);
    if (found === undefined || found.offset < 0) return null;
    const metadata = decodeCommitMetadata(found.metadata);
    // Another tool's commit vouches for no store: generation 0 is none.
    if (metadata === null) return { offset: found.offset, generation: 0 };
    return metadata.topicId === topicId ? { offset: found.offset, generation: metadata.generation } : null;
  }

  /** As Kafka has them, whoever committed them. */
  all(group: string, topic: string, partitions: readonly number[]): Promise<readonly FetchedOffset[]> {
    const what = `offsets of group ${group} for topic ${topic}`;
    return this.#ask(group, what, offsetFetch, { group, topic, partitions }, (answer) => {
      if (answer.error === brokerErrors.groupIdNotFound) return [];
      const error = answer.error || (answer.partitions.find(({ error }) => error !== 0)?.error ?? 0);
      if (error !== 0) throw brokerError(what, error);
      return answer.partitions;
    });
  }

  /** @throws LogError TOPIC_CHANGED when a topic of that identity is gone */
  async commit(group: string, commits: readonly OffsetCommit[]): Promise<void> {
    const topics = new Map<string, TopicOffsets['partitions'][number][]>();
    for (const { partition: id, offset, generation, fence } of commits) {
      const { topicId, partition } = id;
      const name = await this.#cluster.retry(() => this.#topics.nameOf(topicId));
      if (name === null) throw new LogError('TOPIC_CHANGED', `there is no topic with the id ${topicId} to commit for`);
      const metadata = encodeCommitMetadata({ generation, fence, topicId });
      topics.set(name, [...(topics.get(name) ?? []), { partition, offset, metadata }]);
    }
    if (topics.size === 0) return;
    const request = { group, topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) };
    const what = `committing offsets of group ${group}`;
    await this.#ask(group, what, offsetCommit, request, (results) => {
      for (const { topic, partition, error } of results) {
        if (error === brokerErrors.unknownMemberId || error === 22) {
          const text = `${what}: other consumers are members of the group; give the job a name of its own`;
          throw new KafkaError('BROKER', text, { brokerError: error });
        }
        if (error !== 0) throw brokerError(`${what} for ${topic}/${partition}`, error);
      }
    });
  }

  /** Asks the group's coordinator, found anew when it has moved. `read` throws for what the answer says is wrong. */
  #ask<Request, Answer, T>(
    group: string,
    what: string,
    api: Api<Request, Answer>,
    request: Request,
    read: (answer: Answer) => T,
  ): Promise<T> {
    return this.#cluster.retry(async () => {
      try {
        const nodeId = this.#coordinators.get(group) ?? (await this.#findCoordinator(group, what));
        return read(await this.#cluster.ask(nodeId, api, request));
      } catch (error) {
        this.#coordinators.delete(group);
        throw error;
      }
    });
  }

  async #findCoordinator(group: string, what: string): Promise<number> {
    const found = await this.#cluster.askAny(findCoordinator, group);
    if (found === null) throw new KafkaError('PROTOCOL', `${what}: no coordinator in the answer`);
    if (found.error !== 0) throw brokerError(`${what}: finding the coordinator`, found.error, found.message);
    if (!this.#cluster.knows(found.nodeId)) await this.#cluster.metadata([]);
    this.#coordinators.set(group, found.nodeId);
    return found.nodeId;
  }
}
