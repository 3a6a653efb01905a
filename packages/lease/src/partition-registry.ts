import type { SessionId, TopicId } from '@holdfast/model';
import type { PartitionChange, PartitionLease, TopicInfo } from './replay-outcome.ts';

interface TopicState {
  info: TopicInfo;
  /** by partition */
  readonly leases: (PartitionLease | null)[];
}

/** Topics and who reads their partitions (PROTOCOL.md 2.4). Part of the table's replicated state. */
export class PartitionRegistry {
  readonly #topics = new Map<TopicId, TopicState>();
  readonly #idOfTopic = new Map<string, TopicId>();

  *topics(): Generator<TopicInfo> {
    for (const { info } of this.#topics.values()) yield info;
  }

  topic(topicId: TopicId): TopicInfo | undefined {
    return this.#topics.get(topicId)?.info;
  }

  topicNamed(topic: string): TopicInfo | undefined {
    const id = this.#idOfTopic.get(topic);
    return id === undefined ? undefined : this.topic(id);
  }

  /** undefined: there is no such partition; null: nobody reads it. */
  lease(topicId: TopicId, partition: number): PartitionLease | null | undefined {
    return this.#topics.get(topicId)?.leases[partition];
  }

  /** By partition number. */
  leases(topicId: TopicId): readonly (PartitionLease | null)[] {
    return this.#topics.get(topicId)?.leases ?? [];
  }

  /** A new topic, or more partitions of a known one. */
  setTopic(info: TopicInfo): void {
    const known = this.#topics.get(info.topicId);
    const state = known ?? { info, leases: [] };
    state.info = info;
    while (state.leases.length < info.partitions) state.leases.push(null);
    this.#topics.set(info.topicId, state);
    this.#idOfTopic.set(info.topic, info.topicId);
  }

  removeTopic(topicId: TopicId): PartitionChange[] {
    const state = this.#topics.get(topicId);
    if (state === undefined) return [];
    const changes = this.#endWhere(state, () => true);
    this.#topics.delete(topicId);
    this.#idOfTopic.delete(state.info.topic);
    return changes;
  }

  setLease(topicId: TopicId, partition: number, to: PartitionLease | null): PartitionChange {
    const { leases } = this.#topics.get(topicId)!;
    const from = leases[partition] ?? null;
    leases[partition] = to;
    return { topicId, partition, from, to };
  }

  endSession(session: SessionId): PartitionChange[] {
    const changes: PartitionChange[] = [];
    for (const state of this.#topics.values()) {
      changes.push(...this.#endWhere(state, (lease) => lease.session === session));
    }
    return changes;
  }

  #endWhere(state: TopicState, ends: (lease: PartitionLease) => boolean): PartitionChange[] {
    const changes: PartitionChange[] = [];
    for (const [partition, lease] of state.leases.entries()) {
      if (lease !== null && ends(lease)) changes.push(this.setLease(state.info.topicId, partition, null));
    }
    return changes;
  }
}
