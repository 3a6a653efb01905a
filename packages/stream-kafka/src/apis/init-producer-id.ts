import type { Api } from '../wire/api.ts';

export interface InitProducerIdRequest {
  /** Null: a producer without transactions. */
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
}

export interface InitProducerIdAnswer {
  readonly error: number;
  readonly producerId: number;
  readonly producerEpoch: number;
}

/**
 * InitProducerId v4. transactional_id, timeout INT32, producer_id INT64, producer_epoch INT16
 * => throttle INT32, error_code INT16, producer_id INT64, producer_epoch INT16
 */
export const initProducerId: Api<InitProducerIdRequest, InitProducerIdAnswer> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  flexible: true,
  write: (w, { transactionalId, transactionTimeoutMs }) =>
    w.compactString(transactionalId).int32(transactionTimeoutMs).int64(-1).int16(-1).tags(),
  read: (r) => {
    r.int32();
    return { error: r.int16(), producerId: r.int64(), producerEpoch: r.int16() };
  },
};
