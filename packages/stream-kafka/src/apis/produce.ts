import type { Api } from '../wire/api.ts';

export interface ProduceRequest {
  readonly topic: string;
  readonly partition: number;
  /** One record batch. */
  readonly batch: Uint8Array;
  readonly timeoutMs: number;
  /** Of a transaction; null outside of one. */
  readonly transactionalId: string | null;
}

export interface ProduceAnswer {
  readonly error: number;
  readonly message: string | null;
  readonly baseOffset: number;
}

/**
 * Produce v9, acks from all in-sync replicas. transactional_id, acks INT16, timeout INT32, [name, [index INT32, records]]
 * => [name, [index INT32, error_code INT16, base_offset, append_time, log_start INT64, [index INT32, message], message]],
 *    throttle INT32
 */
export const produce: Api<ProduceRequest, ProduceAnswer> = {
  name: 'Produce',
  key: 0,
  version: 9,
  flexible: true,
  write: (w, { topic, partition, batch, timeoutMs, transactionalId }) => {
    w.compactString(transactionalId).int16(-1).int32(timeoutMs);
    w.uvarint(2).compactString(topic);
    w.uvarint(2).int32(partition).compactBytes(batch).tags();
    w.tags().tags();
  },
  read: (r) => {
    const answer = { error: 0, message: null as string | null, baseOffset: -1 };
    r.compactArray(() => {
      r.compactString();
      r.compactArray(() => {
        r.int32();
        answer.error = r.int16();
        answer.baseOffset = r.int64();
        r.int64();
        r.int64();
        r.compactArray(() => {
          r.int32();
          answer.message ??= r.compactString();
          r.tags();
        });
        answer.message = r.compactString() ?? answer.message;
        r.tags();
      });
      r.tags();
    });
    return answer;
  },
};
