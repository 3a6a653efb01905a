import type { Api } from '../wire/api.ts';

export interface OffsetFetchRequest {
  readonly group: string;
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface FetchedOffset {
  readonly partition: number;
  /** -1: nothing committed. */
  readonly offset: number;
  readonly metadata: string;
  readonly error: number;
}

export interface OffsetFetchAnswer {
  readonly error: number;
  readonly partitions: readonly FetchedOffset[];
}

/**
 * OffsetFetch v8, one group and topic. [group, [name, [index INT32]]], require_stable
 * => throttle INT32, [group, [name, [index INT32, offset INT64, leader_epoch INT32, metadata, error_code INT16]], error_code INT16]
 */
export const offsetFetch: Api<OffsetFetchRequest, OffsetFetchAnswer> = {
  name: 'OffsetFetch',
  key: 9,
  version: 8,
  flexible: true,
  write: (w, { group, topic, partitions }) => {
    w.uvarint(2).compactString(group);
    w.uvarint(2).compactString(topic);
    w.compactArray(partitions, (partition) => w.int32(partition)).tags();
    w.tags().boolean(false).tags();
  },
  read: (r) => {
    r.int32();
    const [group] = r.compactArray(() => {
      r.compactString();
      const topics = r.compactArray(() => {
        r.compactString();
        const partitions = r.compactArray(() => {
          const partition = r.int32();
          const offset = r.int64();
          r.int32();
          const metadata = r.compactString() ?? '';
          const error = r.int16();
          r.tags();
          return { partition, offset, metadata, error };
        });
        r.tags();
        return partitions;
      });
      const error = r.int16();
      r.tags();
      return { error, partitions: topics.flat() };
    });
    return group ?? { error: 0, partitions: [] };
  },
};
