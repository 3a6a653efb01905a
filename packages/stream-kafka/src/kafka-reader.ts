import { LogError, type LogReader } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';
import { type FetchAnswer, fetch } from './apis/fetch.ts';
import { earliest, latest } from './apis/list-offsets.ts';
import { FetchedBatches } from './batch/fetched-batches.ts';
import type { KafkaCluster } from './cluster.ts';
import { brokerError, KafkaError, logError } from './errors.ts';
import { listedOffsets } from './listed-offsets.ts';
import { leaderOf, type Topics } from './topics.ts';
import { brokerErrors } from './wire/broker-errors.ts';
import type { Connection } from './wire/connection.ts';

/** A fetch asks for no less: whole record batches come anyway. */
const fetchBytesMin = 64 * 1024;

type Loaded = { readonly batches: FetchedBatches } | { readonly error: unknown };

interface Leader {
  readonly connection: Connection;
  readonly renewAtMs: number;
  readonly epoch: number;
  readonly topicId: Buffer;
}

/**
 * Reads one partition from its leader, over a connection of its own. One fetch is under way at a time, begun when the
 * last batch of the one before is given out: so at most two answers are held, and who doesn't call `next` gets no more.
 * Topics are named by id, so another topic of the same name is never read.
 */
export class KafkaReader implements LogReader {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #topic: string;
  readonly #partition: PartitionId;
  readonly #onClose: () => void;
  /** Where the next fetch begins. */
  #position: number;
  #leader: Leader | null = null;
  #held: FetchedBatches | null = null;
  #loading: Promise<Loaded> | null = null;
  readonly #closing = new AbortController();

  constructor(
    cluster: KafkaCluster,
    topics: Topics,
    topic: string,
    partition: PartitionId,
    fromOffset: number,
    onClose: () => void,
  ) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#topic = topic;
    this.#partition = partition;
    this.#position = fromOffset;
    this.#onClose = onClose;
  }

  async next(bytesMax: number, waitMs: number): Promise<RecordBatch | null> {
    const deadlineMs = this.#cluster.nowMs + waitMs;
    try {
      for (;;) {
        if (this.#closed) return null;
        const batch = this.#held?.next(bytesMax) ?? null;
        if (this.#held !== null) {
          this.#position = this.#held.nextOffset;
          if (batch === null || this.#held.isOver) this.#held = null;
          if (this.#held === null) this.#loading ??= this.#load(bytesMax);
          if (batch !== null) return batch;
        }
        this.#loading ??= this.#load(bytesMax);
        const loaded = await this.#within(this.#loading, deadlineMs - this.#cluster.nowMs);
        if (loaded === null) return null;
        this.#loading = null;
        if ('error' in loaded) throw loaded.error;
        this.#held = loaded.batches;
      }
    } catch (error) {
      // Damage may have come on the way: the next call fetches anew, from the first offset not given out.
      this.#held = null;
      throw logError(error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closing.abort();
    this.#leader?.connection.close();
    this.#held = null;
    this.#onClose();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted || this.#cluster.isClosed;
  }

  get #name(): string {
    return `${this.#topic}/${this.#partition.partition}`;
  }

  /** Null when the time is over, or the reader closed, before. */
  #within(loading: Promise<Loaded>, waitMs: number): Promise<Loaded | null> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const giveUp = () => done(null);
      const timer = setTimeout(giveUp, Math.max(waitMs, 0));
      const done = (loaded: Loaded | null) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(loaded);
      };
      signal.addEventListener('abort', giveUp);
      void loading.then(done);
    });
  }

  /** Never rejects: nobody may be waiting when it fails. */
  async #load(bytesMax: number): Promise<Loaded> {
    try {
      const answer = await this.#cluster.retry((tries) => this.#fetch(Math.max(bytesMax, fetchBytesMin), tries));
      return { batches: this.#batchesOf(answer) };
    } catch (error) {
      this.#dropLeader();
      return { error };
    }
  }

  #batchesOf(answer: FetchAnswer): FetchedBatches {
    const batches = new FetchedBatches(answer, this.#position, this.#name, this.#cluster.options);
    if (answer.end > answer.start && batches.isOver) {
      throw new KafkaError(
        'CORRUPT',
        `${this.#name}: a fetch at offset ${this.#position} brought no whole record batch`,
      );
    }
    return batches;
  }

  async #fetch(bytesMax: number, tries: number): Promise<FetchAnswer> {
    const offset = this.#position;
    if (!(offset >= 0)) throw this.#outOfRange('offsets begin at 0');
    const { isolation, fetchWaitMs: waitMs } = this.#cluster.options;
    const what = `reading ${this.#name} at offset ${offset}`;
    try {
      if (this.#closed) throw new KafkaError('CLOSED', 'the reader is closed');
      if (this.#leader !== null && this.#cluster.nowMs >= this.#leader.renewAtMs) this.#dropLeader();
      const leader = (this.#leader ??= await this.#findLeader());
      const answer = await leader.connection.request(
        fetch,
        {
          topicId: leader.topicId,
          partition: this.#partition.partition,
          leaderEpoch: leader.epoch,
          offset,
          bytesMax,
          waitMs,
          isolation,
        },
        waitMs,
      );
      if (answer.error === brokerErrors.offsetOutOfRange) throw await this.#explainRange();
      if (answer.error !== 0) throw brokerError(what, answer.error);
      if (tries > 1) this.#cluster.logger.info('a partition is read again', { partition: this.#name, tries });
      return answer;
    } catch (error) {
      const isPassing = error instanceof KafkaError && error.retriable;
      if (isPassing && tries === 1) {
        this.#cluster.logger.warn('reading a partition is interrupted', { partition: this.#name, err: error });
      }
      this.#dropLeader();
      throw error;
    }
  }

  async #findLeader(): Promise<Leader> {
    const topic = await this.#topics.same(this.#topic, this.#partition.topicId);
    const { leader, leaderEpoch } = leaderOf(topic, this.#partition.partition);
    const { connection, renewAtMs } = await this.#cluster.dedicated(leader);
    if (this.#closed) connection.close();
    return { connection, renewAtMs, epoch: leaderEpoch, topicId: topic.idBytes };
  }

  #dropLeader(): void {
    this.#leader?.connection.close();
    this.#leader = null;
  }

  /** A deleted topic's records are out of range too: that is said first. The answer itself doesn't tell the range. */
  async #explainRange(): Promise<LogError> {
    await this.#topics.same(this.#topic, this.#partition.topicId);
    const { partition } = this.#partition;
    const listed = (at: number) => listedOffsets(this.#cluster, this.#topics, this.#topic, at, [partition]);
    const [[start], [end]] = await Promise.all([listed(earliest), listed(latest)]);
    return this.#outOfRange(`the partition has the offsets ${start} to ${end}`);
  }

  #outOfRange(why: string): LogError {
    return new LogError('OFFSET_OUT_OF_RANGE', `offset ${this.#position} of ${this.#name}: ${why}`);
  }
}
