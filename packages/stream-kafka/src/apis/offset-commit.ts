import type { Api } from '../wire/api.ts';

export interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: number; readonly metadata: string }[];
}

export interface OffsetCommitRequest {
  readonly group: string;
  readonly topics: readonly TopicOffsets[];
}

/** One per partition of the request, in its order. */
export interface PartitionError {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
}

/**
 * OffsetCommit v8, as a simple consumer: generation -1 and no member, valid as long as the group has no members.
 * group, generation INT32, member, instance, [name, [index INT32, offset INT64, leader_epoch INT32, metadata]]
 * => throttle INT32, [name, [index INT32, error_code INT16]]
 */
export const offsetCommit: Api<OffsetCommitRequest, readonly PartitionError[]> = {
  name: 'OffsetCommit',
  key: 8,
  version: 8,
  flexible: true,
  write: (w, { group, topics }) => {
    w.compactString(group).int32(-1).compactString('').compactString(null);
    w.compactArray(topics, ({ topic, partitions }) => {
      w.compactString(topic);
      w.compactArray(partitions, ({ partition, offset, metadata }) => {
        w.int32(partition).int64(offset).int32(-1).compactString(metadata).tags();
      });
      w.tags();
    });
    w.tags();
  },
  read: (r) => {
    r.int32();
    const topics = r.compactArray(() => {
      const topic = r.compactString() ?? '';
      const partitions = r.compactArray(() => {
        const result = { topic, partition: r.int32(), error: r.int16() };
        r.tags();
        return result;
      });
      r.tags();
      return partitions;
    });
    return topics.flat();
  },
};
