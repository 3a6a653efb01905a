import type { Api } from '../wire/api.ts';

/** One partition is asked for at a time: a reader has a connection of its own. */
export interface FetchRequest {
  readonly topicId: Uint8Array;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly bytesMax: number;
  readonly waitMs: number;
  /** 1: only records of committed transactions, and what is no transaction's. */
  readonly isolation: 0 | 1;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface FetchAnswer {
  readonly error: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Where the record batches lie in the answer: nothing of them is looked at here. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Fetch v13, the first that names topics by id (Kafka 3.1). Without a fetch session.
 * replica_id INT32, max_wait, min_bytes, max_bytes INT32, isolation INT8, session_id, session_epoch INT32,
 * [topic_id UUID, [partition, leader_epoch INT32, offset INT64, last_fetched_epoch INT32, log_start INT64, max_bytes INT32]],
 * [forgotten], rack_id
 * => throttle INT32, error_code INT16, session_id INT32, [topic_id UUID, [partition INT32, error_code INT16,
 *    high_watermark, last_stable, log_start INT64, [producer_id, first_offset INT64], preferred_replica INT32, records]]
 */
export const fetch: Api<FetchRequest, FetchAnswer> = {
  name: 'Fetch',
  key: 1,
  version: 13,
  flexible: true,
  write: (w, { topicId, partition, leaderEpoch, offset, bytesMax, waitMs, isolation }) => {
    w.int32(-1).int32(waitMs).int32(1).int32(bytesMax).int8(isolation).int32(0).int32(-1);
    w.uvarint(2).uuid(topicId);
    w.uvarint(2).int32(partition).int32(leaderEpoch).int64(offset).int32(-1).int64(-1).int32(bytesMax).tags();
    w.tags();
    w.uvarint(1).compactString('').tags();
  },
  read: (r) => {
    r.int32();
    let error = r.int16();
    r.int32();
    const answer = { start: 0, end: 0 };
    let aborted: AbortedTransaction[] = [];
    r.compactArray(() => {
      r.uuid();
      r.compactArray(() => {
        r.int32();
        error ||= r.int16();
        // High watermark, last stable offset, log start.
        for (let i = 0; i < 3; i++) r.int64();
        aborted = r.compactArray(() => {
          const transaction = { producerId: r.int64(), firstOffset: r.int64() };
          r.tags();
          return transaction;
        });
        r.int32();
        const length = r.uvarint() - 1;
        answer.start = r.at;
        r.at = answer.end = r.at + Math.max(length, 0);
        r.tags();
      });
      r.tags();
    });
    return { ...answer, error, aborted, bytes: r.bytes };
  },
};
