import { LogError, type LogReader, type NewRecord } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import type { Kafka, Message } from 'kafkajs';
import { earliest, latest } from '../apis/list-offsets.ts';
import { recordBytesMaxOf } from '../batch/encode-batch.ts';
import type { KafkaCluster } from '../cluster.ts';
import { compressionNumber } from '../codec/codecs.ts';
import { appendError, invalidRecordAdvice, KafkaError, recordTooLarge } from '../errors.ts';
import { listedOffsets } from '../listed-offsets.ts';
import type { RecordPath } from '../record-path.ts';
import type { Topics } from '../topics.ts';
import { CurrentProducer } from './current-producer.ts';
import { kafkaJsClient } from './kafkajs-client.ts';
import { registerCodecs } from './kafkajs-codecs.ts';
import { KafkaJsReader } from './kafkajs-reader.ts';

/** By kafkajs's names. */
const tooLarge: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/** Reads and produces with kafkajs. */
export class KafkaJsRecordPath implements RecordPath {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #kafka: Kafka;
  readonly #readers = new Set<KafkaJsReader>();
  readonly #producer: CurrentProducer;
  /** The last append of each partition: the next one begins when it is over, or a retry could overtake it. */
  readonly #lastAppends = new Map<string, Promise<unknown>>();

  /** Of partitions where less was taken: each batch that is refused costs a producer. */
  readonly #batchBytesMax = new Map<string, number>();

  constructor(cluster: KafkaCluster, topics: Topics, kafka: Kafka = kafkaJsClient(cluster.options, cluster.logger)) {
    this.#cluster = cluster;
    this.#topics = topics;
    registerCodecs(cluster.options.decompressedBytesMax);
    this.#kafka = kafka;
    this.#producer = new CurrentProducer(() =>
      kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false }),
    );
  }

  openReader(topic: string, partition: PartitionId, fromOffset: number): LogReader {
    const reader: KafkaJsReader = new KafkaJsReader(
      this.#kafka,
      this.#cluster,
      this.#topics,
      (name, number) => this.#range(name, number),
      topic,
      partition,
      fromOffset,
      () => this.#readers.delete(reader),
    );
    this.#readers.add(reader);
    return reader;
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    const key = `${topic}/${partition}`;
    const send = () => this.#send(topic, partition, records);
    const result = (this.#lastAppends.get(key) ?? Promise.resolve()).then(send, send);
    this.#lastAppends.set(key, result);
    const forget = () => {
      if (this.#lastAppends.get(key) === result) this.#lastAppends.delete(key);
    };
    result.then(forget, forget);
    return result;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.#producer.close();
  }

  /** @throws LogError with how many are durable */
  async #send(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    const { produceBytesMax, compression } = this.#cluster.options;
    const key = `${topic}/${partition}`;
    let first = -1;
    for (let from = 0; from < records.length; ) {
      const messages: Message[] = [];
      let bytes = 0;
      const batchBytesMax = this.#batchBytesMax.get(key) ?? produceBytesMax;
      for (let i = from; i < records.length; i++) {
        const size = recordBytesMaxOf(records[i]!);
        if (messages.length > 0 && bytes + size > batchBytesMax) break;
        bytes += size;
        messages.push(messageOf(records[i]!, partition));
      }
      try {
        const batch = { topic, messages, acks: -1, compression: compressionNumber(compression) };
        const [sent] = await this.#producer.use((producer) => producer.send(batch));
        if (first < 0) first = Number(sent!.baseOffset);
        from += messages.length;
      } catch (error) {
        if (isTooLarge(error) && messages.length > 1) this.#batchBytesMax.set(key, bytes / 2);
        else if (isTooLarge(error)) throw appendError(recordTooLarge(topic, partition, bytes, typeOf(error)), from);
        else throw appendError(await this.#appendFailure(topic, partition, error as Error).catch((e) => e), from);
      }
    }
    return first;
  }

  /** UNKNOWN_TOPIC when that is what the error says. @throws KafkaError when the topic can't be looked up */
  async #appendFailure(topic: string, partition: number, error: Error): Promise<Error> {
    if (error instanceof KafkaError) return error;
    this.#topics.forget(topic);
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
      const found = await this.#cluster.retry(() => this.#topics.look(topic));
      if (found === null) return new LogError('UNKNOWN_TOPIC', `there is no topic ${topic}`);
    }
    const advice = typeOf(error) === 'INVALID_RECORD' ? `: ${invalidRecordAdvice}` : '';
    const text = `appending to ${topic}/${partition}: ${error.message}${advice}`;
    return new KafkaError('UNREACHABLE', text, { cause: error });
  }

  async #range(topic: string, partition: number): Promise<{ start: number; end: number }> {
    const listed = (at: number) => listedOffsets(this.#cluster, this.#topics, topic, at, [partition]);
    const [[start], [end]] = await Promise.all([listed(earliest), listed(latest)]);
    return { start: start!, end: end! };
  }
}

/** By kafkajs's name for what the broker answered; empty where it has none. */
function typeOf(error: unknown): string {
  return (error as { type?: string }).type ?? '';
}

function isTooLarge(error: unknown): boolean {
  return tooLarge.has(typeOf(error));
}

function messageOf({ key, value, headers }: NewRecord, partition: number): Message {
  const bytes = (part: Uint8Array | null) => (part === null ? null : Buffer.from(part));
  return {
    key: bytes(key),
    value: bytes(value),
    partition,
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  };
}
