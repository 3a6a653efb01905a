import { randomUUID } from 'node:crypto';
import { LogError, type LogReader } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';
import type { Batch, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { KafkaCluster } from '../cluster.ts';
import { brokerError, KafkaError, logError } from '../errors.ts';
import type { KafkaTopic, Topics } from '../topics.ts';
import { batchOfMessages, messageBytes } from './message-batch.ts';
import { onePartitionAssigner } from './one-partition-assigner.ts';

/** A batch that waits to be taken keeps its group alive so often. */
const heartbeatMs = 2_000;
/** A reader that gets nothing looks so often whether its topic is still the same. */
const identityCheckMs = 500;

/** The first and the next offset, by which a reset that kafkajs made on its own is told. */
export type OffsetRange = (topic: string, partition: number) => Promise<{ start: number; end: number }>;

interface Given {
  readonly batch: Batch;
  readonly messages: readonly KafkaMessage[];
  taken: number;
  /** kafkajs may fetch the next one; from behind this one, if all of it was taken. */
  done(isTaken: boolean): void;
}

/**
 * Reads one partition through a private consumer group of one member. kafkajs hides two things that a reader has to
 * say: it knows no topic ids, so each batch's topic is looked up before it is given out; and an offset out of range it
 * replaces by itself, which shows by a batch that begins elsewhere, and by the range of offsets then. A consumer that has failed for good is never used
 * again: the next call begins with another.
 */
export class KafkaJsReader implements LogReader {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #topic: string;
  readonly #partition: PartitionId;
  readonly #range: OffsetRange;
  readonly #onClose: () => void;
  readonly #kafka: Kafka;
  #consumer: Consumer | null = null;
  #position: number;
  #starting: Promise<void> | null = null;
  #given: Given | null = null;
  #failure: unknown = null;
  /** The last call that said anything failed. */
  #failing = false;
  /** Brokers that have answered kafkajs since then, perhaps with nothing. */
  readonly #answered = new Set<number>();
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(
    kafka: Kafka,
    cluster: KafkaCluster,
    topics: Topics,
    range: OffsetRange,
    topic: string,
    partition: PartitionId,
    fromOffset: number,
    onClose: () => void,
  ) {
    this.#kafka = kafka;
    this.#cluster = cluster;
    this.#topics = topics;
    this.#topic = topic;
    this.#partition = partition;
    this.#range = range;
    this.#position = fromOffset;
    this.#onClose = onClose;
  }

  async next(bytesMax: number, waitMs: number): Promise<RecordBatch | null> {
    const deadlineMs = this.#cluster.nowMs + waitMs;
    try {
      for (let first = true; ; first = false) {
        if (this.#closed) return null;
        this.#starting ??= this.#start();
        await this.#starting;
        if (this.#given !== null) {
          const batch = await this.#take(this.#given, bytesMax);
          if (batch === null) continue;
          this.#failing = false;
          return batch;
        }
        const leftMs = deadlineMs - this.#cluster.nowMs;
        if (this.#failure !== null) await this.#fail();
        // Nothing new: said once after a failure, for null may also mean that no answer came yet.
        if (this.#failing && (await this.#isAnswered())) {
          this.#failing = false;
          return batchOfMessages([], this.#position, 0);
        }
        if (leftMs <= 0) return null;
        if (!first) await this.#checkTopic();
        if (this.#given === null && !this.#closed) await this.#somethingNew(Math.min(leftMs, identityCheckMs));
      }
    } catch (error) {
      this.#failing = true;
      this.#answered.clear();
      throw logError(error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    if (this.#given !== null) this.#drop(this.#given, false);
    this.#onClose();
    await this.#starting?.catch(() => undefined);
    await this.#consumer?.disconnect().catch(() => undefined);
  }

  get #name(): string {
    return `${this.#topic}/${this.#partition.partition}`;
  }

  async #start(): Promise<void> {
    try {
      await this.#checkTopic();
      await this.#checkRange();
      const consumer = this.#newConsumer();
      this.#consumer = consumer;
      await consumer.connect();
      await consumer.subscribe({ topics: [this.#topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => (consumer === this.#consumer ? this.#onBatch(payload) : Promise.resolve()),
      });
    } catch (error) {
      this.#dropConsumer();
      throw error instanceof LogError || error instanceof KafkaError ? error : this.#kafkaJsError(error as Error);
    }
  }

  #newConsumer(): Consumer {
    const { options, logger } = this.#cluster;
    const consumer = this.#kafka.consumer({
      groupId: `${options.clientId}-reader-${randomUUID()}`,
      partitionAssigners: [onePartitionAssigner(this.#topic, this.#partition.partition)],
      maxWaitTimeInMs: options.fetchWaitMs,
      readUncommitted: options.isolation === 0,
      allowAutoTopicCreation: false,
    });
    // Its group commits nothing, so after each joining kafkajs would begin where it likes.
    consumer.on(consumer.events.GROUP_JOIN, () => this.#seek());
    // kafkajs asks all brokers in turns, and says so of those of which it wants nothing too.
    consumer.on(consumer.events.FETCH, ({ payload }) => {
      if (consumer !== this.#consumer || !this.#failing) return;
      this.#answered.add(Number(payload.nodeId));
      this.#wake();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (consumer !== this.#consumer) return;
      const { error, restart } = payload;
      // It begins anew by itself, for as long as it takes.
      if (restart) return logger.warn('reading a partition is interrupted', { partition: this.#name, err: error });
      this.#failure = this.#kafkaJsError(error);
      this.#wake();
    });
    return consumer;
  }

  /** The next call begins with another, from what was given out last. */
  #dropConsumer(): void {
    this.#starting = null;
    const consumer = this.#consumer;
    this.#consumer = null;
    if (this.#given !== null) this.#drop(this.#given, false);
    void consumer?.disconnect().catch(() => undefined);
  }

  #seek(): void {
    const { partition } = this.#partition;
    try {
      this.#consumer?.seek({ topic: this.#topic, partition, offset: String(this.#position) });
    } catch {
      // It has crashed and begins anew: it will join again, and be told again.
    }
  }

  /** Holds kafkajs until the batch is used up. */
  async #onBatch({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    if (this.#closed) return;
    const used = new Promise<boolean>((resolve) => {
      this.#given = { batch, messages: batch.messages, taken: 0, done: resolve };
    });
    this.#wake();
    const beat = setInterval(() => void heartbeat().catch(() => undefined), heartbeatMs);
    const isTaken = await used;
    clearInterval(beat);
    // Of what was not taken nothing is resolved: what kafkajs fetched behind it would seem to follow on the position.
    if (isTaken) resolveOffset(batch.lastOffset());
  }

  /**
   * Null: the batch is not what was to be read.
   *
   * One that begins below the position is of an earlier seek, or of a reset to the first offset: kafkajs is sent back.
   * One that begins above it is taken: between the two lies only what kafkajs has passed over by itself, aborted records
   * and markers, which it tells nobody. For a fetch begins behind the batch before, which was taken whole (then the
   * position is there too) or was passed over whole; or at a seek's offset, a position of this reader, and positions
   * only grow; or at the log's first offset, where kafkajs goes when it has none, or one out of range. If that one is
   * above the position, retention has taken what lies between, and the range says so, since the first offset only grows.
   */
  async #take(given: Given, bytesMax: number): Promise<RecordBatch | null> {
    const { batch, messages } = given;
    if (given.taken === 0) {
      await this.#checkTopic();
      const begins = Number((batch as Batch & { fetchedOffset: string | number }).fetchedOffset);
      if (begins < this.#position) {
        // Told before it fetches again.
        this.#seek();
        this.#drop(given, false);
      }
      if (begins !== this.#position) await this.#checkRange();
      if (begins < this.#position) return null;
    }
    const from = given.taken;
    let bytes = 0;
    let to = from;
    while (to < messages.length && (to === from || bytes + messageBytes(messages[to]!) <= bytesMax)) {
      bytes += messageBytes(messages[to++]!);
    }
    const nextOffset = Number(to === messages.length ? batch.lastOffset() : messages[to - 1]!.offset) + 1;
    // It may fail for want of memory: only what is given out counts as taken.
    const made = batchOfMessages(messages.slice(from, to), nextOffset, this.#cluster.wallUnixMs);
    given.taken = to;
    this.#position = nextOffset;
    if (to === messages.length) this.#drop(given, true);
    return made;
  }

  #drop(given: Given, isTaken: boolean): void {
    this.#given = null;
    given.done(isTaken);
  }

  /** @throws LogError TOPIC_CHANGED */
  #checkTopic(): Promise<KafkaTopic> {
    return this.#cluster.retry(() => this.#topics.same(this.#topic, this.#partition.topicId));
  }

  /** Whether kafkajs had an answer of the partition's leader, of the same topic. */
  async #isAnswered(): Promise<boolean> {
    if (this.#answered.size === 0) return false;
    const { partitions } = await this.#checkTopic();
    return this.#answered.has(partitions[this.#partition.partition]?.leader ?? -1);
  }

  async #checkRange(): Promise<void> {
    const { start, end } = await this.#range(this.#topic, this.#partition.partition);
    if (this.#position >= start && this.#position <= end) return;
    const found = `the partition has the offsets ${start} to ${end}`;
    throw new LogError('OFFSET_OUT_OF_RANGE', `offset ${this.#position} of ${this.#name}: ${found}`);
  }

  /** It doesn't begin anew by itself. A crash may be the topic's end. */
  async #fail(): Promise<never> {
    const failure = this.#failure;
    this.#failure = null;
    this.#dropConsumer();
    await this.#checkTopic();
    throw failure;
  }

  #kafkaJsError(error: Error): KafkaError {
    const answered = codeOf(error);
    if (answered !== null) return brokerError(`reading ${this.#name}`, answered);
    return new KafkaError('UNREACHABLE', `reading ${this.#name}: ${error.message}`, { cause: error });
  }

  #somethingNew(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }
}

/** The number that a broker answered with; kafkajs wraps it in errors of its own. */
function codeOf(error: unknown): number | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'number') return code;
  }
  return null;
}
