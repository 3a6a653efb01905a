import type { Api } from '../wire/api.ts';

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface PartitionMetadata {
  readonly error: number;
  readonly partition: number;
  /** -1: none now. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface TopicMetadata {
  readonly error: number;
  readonly name: string | null;
  readonly id: Buffer;
  readonly partitions: readonly PartitionMetadata[];
}

export interface MetadataAnswer {
  readonly brokers: readonly BrokerAddress[];
  readonly clusterId: string | null;
  /** -1: none now. */
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** By name, or by id. */
export type TopicAsked = { readonly name: string } | { readonly id: Uint8Array };

/** Of a topic that is asked for by name, and of all topics where brokers agree on a protocol older than Kafka 2.8. */
export const noId = Buffer.alloc(16);

/**
 * Metadata v12, the first that answers for topic ids (Kafka 3.1).
 * [topic_id UUID, name], allow_auto_topic_creation, include_topic_authorized_operations
 * => throttle INT32, [node_id INT32, host, port INT32, rack], cluster_id, controller_id INT32,
 *    [error_code INT16, name, topic_id UUID, is_internal, [error_code INT16, index, leader, leader_epoch INT32,
 *     [replica], [in sync], [offline]], authorized_operations INT32]
 */
export const metadata: Api<readonly TopicAsked[], MetadataAnswer> = {
  name: 'Metadata',
  key: 3,
  version: 12,
  flexible: true,
  write: (w, topics) => {
    w.compactArray(topics, (topic) => {
      if ('name' in topic) w.uuid(noId).compactString(topic.name);
      else w.uuid(topic.id).compactString(null);
      w.tags();
    });
    w.boolean(false).boolean(false).tags();
  },
  read: (r) => {
    r.int32();
    const brokers = r.compactArray(() => {
      const broker = { nodeId: r.int32(), host: r.compactString() ?? '', port: r.int32() };
      r.compactString();
      r.tags();
      return broker;
    });
    const clusterId = r.compactString();
    const controllerId = r.int32();
    const topics = r.compactArray(() => {
      const error = r.int16();
      const name = r.compactString();
      const id = Buffer.from(r.uuid());
      r.boolean();
      const partitions = r.compactArray(() => {
        const partition = {
          error: r.int16(),
          partition: r.int32(),
          leader: r.int32(),
          leaderEpoch: r.int32(),
          replicas: r.compactArray(() => r.int32()),
          inSync: r.compactArray(() => r.int32()),
        };
        r.compactArray(() => r.int32());
        r.tags();
        return partition;
      });
      r.int32();
      r.tags();
      return { error, name, id, partitions };
    });
    return { brokers, clusterId, controllerId, topics };
  },
};
