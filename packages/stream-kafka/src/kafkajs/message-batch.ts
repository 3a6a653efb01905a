import type { RecordBatch } from '@holdfast/processor';
import type { KafkaMessage } from 'kafkajs';
import { appendTimeOf } from '../batch/append-time.ts';

/** By kafkajs, of a batch whose records have the broker's time. */
const logAppendTime = 1;

/** What kafkajs keeps of the message's record batch, and its types don't say. */
type BatchedMessage = KafkaMessage & { readonly batchContext?: { readonly timestampType?: number } };

/**
 * kafkajs's messages as an engine batch: keys and values are copied into one buffer.
 * @param nowUnixMs by this machine's clock, when they had been read
 */
export function batchOfMessages(
  messages: readonly BatchedMessage[],
  nextOffset: number,
  nowUnixMs: number,
): RecordBatch {
  const count = messages.length;
  let size = 0;
  for (const message of messages) size += messageBytes(message);
  const batch = {
    count,
    bytes: Buffer.allocUnsafeSlow(size),
    offsets: new Float64Array(count),
    timestampsUnixMs: new Float64Array(count),
    keyStarts: new Int32Array(count).fill(-1),
    keyEnds: new Int32Array(count).fill(-1),
    valueStarts: new Int32Array(count).fill(-1),
    valueEnds: new Int32Array(count).fill(-1),
    nextOffset,
    headersOf: (row: number) => headersOf(messages[row]!),
  };
  let at = 0;
  for (let row = 0; row < count; row++) {
    const { key, value, offset, timestamp, batchContext } = messages[row]!;
    batch.offsets[row] = Number(offset);
    const isBrokerTime = batchContext?.timestampType === logAppendTime;
    batch.timestampsUnixMs[row] = appendTimeOf(Number(timestamp), isBrokerTime, nowUnixMs);
    if (key !== null) {
      batch.keyStarts[row] = at;
      batch.bytes.set(key, at);
      batch.keyEnds[row] = at += key.length;
    }
    if (value !== null) {
      batch.valueStarts[row] = at;
      batch.bytes.set(value, at);
      batch.valueEnds[row] = at += value.length;
    }
  }
  return batch;
}

export function messageBytes({ key, value }: KafkaMessage): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

function headersOf({ headers = {} }: KafkaMessage): Readonly<Record<string, string>> {
  const last = (value: KafkaHeader) => String((Array.isArray(value) ? value.at(-1) : value) ?? '');
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, last(value)]));
}

type KafkaHeader = NonNullable<KafkaMessage['headers']>[string];
