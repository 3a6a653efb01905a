import type { Api } from '../wire/api.ts';

/** In place of a time: the first offset that is kept, and the one that the next record gets. */
export const earliest = -2;
export const latest = -1;

export interface ListOffsetsRequest {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly leaderEpoch: number }[];
  readonly timestampUnixMs: number;
}

export interface ListedOffset {
  readonly partition: number;
  readonly error: number;
  /** -1: no record is that late. */
  readonly offset: number;
}

/**
 * ListOffsets v7. replica_id INT32, isolation INT8, [name, [partition, leader_epoch INT32, timestamp INT64]]
 * => throttle INT32, [name, [partition INT32, error_code INT16, timestamp, offset INT64, leader_epoch INT32]]
 */
export const listOffsets: Api<ListOffsetsRequest, readonly ListedOffset[]> = {
  name: 'ListOffsets',
  key: 2,
  version: 7,
  flexible: true,
  write: (w, { topic, partitions, timestampUnixMs }) => {
    w.int32(-1).int8(0).uvarint(2).compactString(topic);
    w.compactArray(partitions, ({ partition, leaderEpoch }) => {
      w.int32(partition).int32(leaderEpoch).int64(timestampUnixMs).tags();
    });
    w.tags().tags();
  },
  read: (r) => {
    r.int32();
    const topics = r.compactArray(() => {
      r.compactString();
      const partitions = r.compactArray(() => {
        const partition = r.int32();
        const error = r.int16();
        r.int64();
        const offset = r.int64();
        r.int32();
        r.tags();
        return { partition, error, offset };
      });
      r.tags();
      return partitions;
    });
    return topics.flat();
  },
};
