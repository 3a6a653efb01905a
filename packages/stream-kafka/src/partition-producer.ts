import type { NewRecord } from '@holdfast/engine';
import { initProducerId } from './apis/init-producer-id.ts';
import type { PartitionMetadata } from './apis/metadata.ts';
import { produce } from './apis/produce.ts';
import { encodeBatch, recordBytesMaxOf } from './batch/encode-batch.ts';
import type { KafkaCluster } from './cluster.ts';
import { appendError, brokerError, KafkaError, recordTooLarge } from './errors.ts';
import { type KafkaTopic, leaderOf, type Topics } from './topics.ts';
import { brokerErrorName, brokerErrors } from './wire/broker-errors.ts';

interface Append {
  readonly records: readonly NewRecord[];
  /** How many are durable. */
  done: number;
  firstOffset: number;
  resolve(offset: number): void;
  reject(error: unknown): void;
}

interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
  nextSequence: number;
}

/** The broker knows the identity no longer, or is ahead of it: it can't tell repeats for it. */
const identityLost: ReadonlySet<number> = new Set([
  brokerErrors.outOfOrderSequence,
  brokerErrors.invalidProducerEpoch,
  brokerErrors.unknownProducerId,
]);

/** The batch is larger than the topic's or the broker's limit. */
const tooLarge: ReadonlySet<number> = new Set([brokerErrors.messageTooLarge, brokerErrors.recordListTooLarge]);

/**
 * Answers after which nobody knows whether the batch was appended. UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER and
 * KAFKA_STORAGE_ERROR are among them: a leader that steps down, or loses its disk, says so of what it has appended too.
 */
const unclearAnswers: ReadonlySet<number> = new Set([-1, 3, 6, 7, 20, 56]);

/**
 * Appends to one partition, idempotent: each record batch has this producer's identity and a sequence number, one is
 * under way at a time, and a repeat has the same bytes, so that whatever becomes of answers the order stands and nothing
 * is there twice. Appends that wait travel in one batch, of half the size after each that the broker took for too large. Queued records are bounded by the callers, who wait for the answers.
 */
export class PartitionProducer {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #topic: string;
  readonly #partition: number;
  readonly #queue: Append[] = [];
  #identity: Identity | null = null;
  #batchBytesMax: number;
  #running: Promise<void> | null = null;

  constructor(cluster: KafkaCluster, topics: Topics, topic: string, partition: number) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#topic = topic;
    this.#partition = partition;
    this.#batchBytesMax = cluster.options.produceBytesMax;
  }

  /** Resolves with the first record's offset when all are durable. @throws LogError with how many are, KafkaError */
  append(records: readonly NewRecord[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, done: 0, firstOffset: -1, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // A turn later, so that the appends made together travel together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const { records, appends, bytes } = this.#nextRecords();
      try {
        const baseOffset = await this.#send(records);
        let at = 0;
        for (const { append, count } of appends) {
          if (append.done === 0) append.firstOffset = baseOffset + at;
          append.done += count;
          at += count;
          if (append.done < append.records.length) continue;
          this.#queue.shift();
          append.resolve(append.firstOffset);
        }
      } catch (error) {
        const isTooLarge = error instanceof KafkaError && error.code === 'TOO_LARGE';
        if (isTooLarge && records.length > 1) {
          this.#batchBytesMax = bytes / 2;
          continue;
        }
        // The next batch may not follow one of which nobody knows whether it arrived.
        if (!isTooLarge) this.#identity = null;
        const told = isTooLarge ? recordTooLarge(this.#topic, this.#partition, bytes, error.message) : error;
        for (const { append } of appends) {
          this.#queue.shift();
          append.reject(appendError(told, append.done));
        }
      }
    }
    this.#running = null;
  }

  #nextRecords(): { records: NewRecord[]; appends: { append: Append; count: number }[]; bytes: number } {
    const records: NewRecord[] = [];
    const appends: { append: Append; count: number }[] = [];
    let bytes = 0;
    for (const append of this.#queue) {
      let count = 0;
      for (let i = append.done; i < append.records.length; i++, count++) {
        const record = append.records[i]!;
        const size = recordBytesMaxOf(record);
        if (records.length > 0 && bytes + size > this.#batchBytesMax) break;
        bytes += size;
        records.push(record);
      }
      if (count > 0) appends.push({ append, count });
      if (append.done + count < append.records.length) break;
    }
    return { records, appends, bytes };
  }

  /** The first record's offset. @throws KafkaError, LogError */
  async #send(records: readonly NewRecord[]): Promise<number> {
    let batch: Buffer | null = null;
    let unclear = false;
    let failed: number | undefined;
    const what = `appending to ${this.#topic}/${this.#partition}`;
    const baseOffset = await this.#cluster.retry(async () => {
      const identity = (this.#identity ??= await this.#newIdentity());
      batch ??= this.#encode(records, identity);
      const { leader } = await this.#leader(failed);
      failed = leader;
      let answer: { error: number; message: string | null; baseOffset: number };
      try {
        // A part of what is waited for the answer: one that is lost leaves the time for another try with the same bytes.
        const timeoutMs = Math.floor(this.#cluster.options.requestTimeoutMs / 2);
        const request = { topic: this.#topic, partition: this.#partition, batch, timeoutMs, transactionalId: null };
        answer = await this.#cluster.ask(leader, produce, request, 'produce');
      } catch (error) {
        unclear = true;
        this.#topics.forget(this.#topic);
        throw error;
      }
      const { error, message, baseOffset } = answer;
      if (error === 0) return baseOffset;
      this.#topics.forget(this.#topic);
      if (unclearAnswers.has(error)) unclear = true;
      if (error === brokerErrors.unknownTopicOrPartition) await this.#topics.existing(this.#topic);
      if (identityLost.has(error) && !unclear) {
        // Nothing of this batch is there: a new identity may send it.
        this.#identity = null;
        batch = null;
        throw new KafkaError('UNREACHABLE', `${what}: the broker knows the producer no longer`, { brokerError: error });
      }
      // A broker looks at the size before it looks for a repeat: the batch may be there all the same. Its halves must not
      // follow then, nor another one by its number.
      if (tooLarge.has(error) && !unclear) {
        throw new KafkaError('TOO_LARGE', brokerErrorName(error), { brokerError: error });
      }
      throw brokerError(what, error, unclear ? 'it is not known whether the records are there' : message);
    });
    this.#identity!.nextSequence = (this.#identity!.nextSequence + records.length) % 2 ** 31;
    return baseOffset;
  }

  /**
   * @param failed who led when it last failed: others are asked first then, for a leader that is cut off from the
   * controllers, but not from its producers, is the one that doesn't know of its successor
   */
  async #leader(failed: number | undefined): Promise<PartitionMetadata> {
    let found = await this.#topics.find(this.#topic);
    if (failed !== undefined && found?.partitions[this.#partition]?.leader === failed)
      found = await this.#topics.look(this.#topic, failed);
    const topic: KafkaTopic = found ?? (await this.#topics.existing(this.#topic));
    // Who finds none looks afresh the next time: what is cached will never know of one.
    if ((topic.partitions[this.#partition]?.leader ?? -1) < 0) this.#topics.forget(this.#topic);
    return leaderOf(topic, this.#partition);
  }

  #encode(records: readonly NewRecord[], { producerId, producerEpoch, nextSequence }: Identity): Buffer {
    return encodeBatch(records, {
      timeUnixMs: this.#cluster.wallUnixMs,
      compression: this.#cluster.options.compression,
      producerId,
      producerEpoch,
      baseSequence: nextSequence,
      transactional: false,
    });
  }

  async #newIdentity(): Promise<Identity> {
    const answer = await this.#cluster.askAny(initProducerId, { transactionalId: null, transactionTimeoutMs: 60_000 });
    if (answer.error !== 0) throw brokerError('asking for a producer id', answer.error);
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch, nextSequence: 0 };
  }
}
