import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaMessage } from 'kafkajs';
import { batchOfMessages } from './message-batch.ts';

test("a producer's time ahead of this clock is no append time: now is; a broker's time stands", () => {
  const message = (timestamp: string, timestampType: number) =>
    ({ key: null, value: null, offset: '0', timestamp, batchContext: { timestampType } }) as unknown as KafkaMessage;
  const messages = [message('10', 0), message('12', 0), message('12', 1), message('-1', 0), message('-1', 1)];
  assert.deepEqual([...batchOfMessages(messages, 5, 11).timestampsUnixMs], [10, 11, 12, Number.NaN, Number.NaN]);
});
