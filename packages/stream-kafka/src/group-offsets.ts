import { type CommitResult, type CommittedOffset, LogError, type OffsetCommit } from '@holdfast/engine';
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

/** A commit, with its place in the request and the topic's name. */
interface NamedCommit extends OffsetCommit {
  readonly index: number;
  readonly topic: string;
}

/**
 * Committed offsets of groups that have no members: partitions are assigned by leases, so nobody joins. Kafka checks
 * no fence here. None is needed: what a commit names is durable in the store whoever commits it (PROTOCOL.md 3.4), so
 * a late one of an older holder can only make the next start read again what is durable already.
 */
export class GroupOffsets {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #coordinators = new Map<string, number>();
  /** Groups whose coordinator did not answer well when it was asked last. */
  readonly #lost = new Set<string>();

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
    // Another tool's commit vouches for no store.
    if (metadata === null) return { offset: found.offset, generationId: null };
    return metadata.topicId === topicId ? { offset: found.offset, generationId: metadata.generationId } : null;
  }

  /** As Kafka has them, whoever committed them. */
  all(group: string, topic: string, partitions: readonly number[]): Promise<readonly FetchedOffset[]> {
    const what = `offsets of group ${group} for topic ${topic}`;
    const request = () => ({ group, topic, partitions });
    return this.#ask(group, what, offsetFetch, request, (answer) => {
      if (answer.error === brokerErrors.groupIdNotFound) return [];
      const error = answer.error || (answer.partitions.find(({ error }) => error !== 0)?.error ?? 0);
      if (error !== 0) throw brokerError(what, error);
      return answer.partitions;
    });
  }

  /** One result per entry. What belongs to a topic that is gone is left out, and holds up nothing else. */
  async commit(group: string, commits: readonly OffsetCommit[]): Promise<CommitResult[]> {
    const results = commits.map((): CommitResult => 'gone');
    let open: NamedCommit[] = [];
    for (const [index, commit] of commits.entries()) {
      const topic = await this.#cluster.retry(() => this.#topics.nameOf(commit.partition.topicId));
      if (topic !== null) open.push({ ...commit, index, topic });
    }
    if (open.length === 0) return results;
    const what = `committing offsets of group ${group}`;
    const request = () => ({ group, topics: topicsOf(open) });
    await this.#ask(group, what, offsetCommit, request, async (answers) => {
      const byPlace = new Map(open.map((commit) => [`${commit.topic}/${commit.partition.partition}`, commit]));
      const unknown: NamedCommit[] = [];
      for (const { topic, partition, error } of answers) {
        if (error === brokerErrors.unknownMemberId || error === 22) {
          const text = `${what}: other consumers are members of the group; give the job a name of its own`;
          throw new KafkaError('BROKER', text, { brokerError: error });
        }
        const isUnknown = error === brokerErrors.unknownTopicOrPartition || error === brokerErrors.unknownTopicId;
        if (error !== 0 && !isUnknown) throw brokerError(`${what} for ${topic}/${partition}`, error);
        const commit = byPlace.get(`${topic}/${partition}`);
        if (commit === undefined) continue;
        if (isUnknown) unknown.push(commit);
        else results[commit.index] = 'ok';
      }
      const left: NamedCommit[] = [];
      for (const commit of unknown) if (!(await this.#isGone(commit))) left.push(commit);
      open = left;
      const [first] = left;
      if (first === undefined) return;
      // The coordinator doesn't know it yet.
      const where = `${first.topic}/${first.partition.partition}`;
      throw brokerError(`${what} for ${where}`, brokerErrors.unknownTopicOrPartition);
    });
    return results;
  }

  async #isGone({ topic, partition: { topicId, partition } }: NamedCommit): Promise<boolean> {
    try {
      return partition >= (await this.#topics.same(topic, topicId)).partitions.length;
    } catch (error) {
      if (error instanceof LogError && error.code === 'TOPIC_CHANGED') return true;
      throw error;
    }
  }

  /** Asks the group's coordinator, found anew when it has moved. `read` throws for what the answer says is wrong. */
  #ask<Request, Answer, T>(
    group: string,
    what: string,
    api: Api<Request, Answer>,
    request: () => Request,
    read: (answer: Answer) => T | Promise<T>,
  ): Promise<T> {
    return this.#cluster.retry(async () => {
      try {
        const nodeId = this.#coordinators.get(group) ?? (await this.#findCoordinator(group, what));
        return await read(await this.#cluster.ask(nodeId, api, request()));
      } catch (error) {
        this.#coordinators.delete(group);
        this.#lost.add(group);
        throw error;
      }
    });
  }

  async #findCoordinator(group: string, what: string): Promise<number> {
    const found = await this.#cluster.askAny(findCoordinator, group);
    if (found === null) throw new KafkaError('PROTOCOL', `${what}: no coordinator in the answer`);
    if (found.error !== 0) throw brokerError(`${what}: finding the coordinator`, found.error, found.message);
    // A broker that is known may have another address since.
    if (this.#lost.has(group) || !this.#cluster.knows(found.nodeId)) await this.#cluster.metadata([]);
    this.#lost.delete(group);
    this.#coordinators.set(group, found.nodeId);
    return found.nodeId;
  }
}

function topicsOf(commits: readonly NamedCommit[]): TopicOffsets[] {
  const topics = new Map<string, TopicOffsets['partitions'][number][]>();
  for (const { topic, partition: id, offset, generationId, fence } of commits) {
    const metadata = encodeCommitMetadata({ generationId, fence, topicId: id.topicId });
    topics.set(topic, [...(topics.get(topic) ?? []), { partition: id.partition, offset, metadata }]);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}
