import { LogError, type LogReader } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';
import { type FetchAnswer, fetch } from './apis/fetch.ts';
import { earliest, latest } from './apis/list-offsets.ts';
import type { PartitionMetadata } from './apis/metadata.ts';
import { FetchedBatches } from './batch/fetched-batches.ts';
import { emptyBatch } from './batch/record-columns.ts';
import type { KafkaCluster } from './cluster.ts';
import { brokerError, KafkaError, logError } from './errors.ts';
import { LeaderAge } from './leader-age.ts';
import { listedOffsets } from './listed-offsets.ts';
import { type KafkaTopic, leaderOf, type Topics } from './topics.ts';
import { brokerErrors } from './wire/broker-errors.ts';
import type { Connection } from './wire/connection.ts';

/** A fetch asks for no less: whole record batches come anyway. */
const fetchBytesMin = 64 * 1024;

/**
 * How long a reader tries again by itself, while `next` says that nothing came; longer where its caller waits for longer.
 * Then `next` says that it fails, for a partition must not look well that can't be read; called again, it tries again.
 */
const readRetryMs = 5_000;

type Loaded = { readonly batches: FetchedBatches } | { readonly error: unknown };

interface Leader {
  readonly connection: Connection;
  readonly renewAtMs: number;
  readonly nodeId: number;
  epoch: number;
  readonly topicId: Buffer;
  readonly age: LeaderAge;
  /** Another one leads: nothing is fetched from it any more. */
  isReplaced: boolean;
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
  /** Of all that was ever told, by the epoch. */
  #newest: PartitionMetadata | null = null;
  #held: FetchedBatches | null = null;
  #loading: Promise<Loaded> | null = null;
  /** The last call that said anything failed. */
  #failing = false;
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
        let batch = this.#held?.next(bytesMax) ?? null;
        if (this.#held !== null) {
          this.#position = this.#held.nextOffset;
          if (batch === null || this.#held.isOver) this.#held = null;
          if (this.#held === null) this.#loading ??= this.#load(bytesMax, waitMs);
          // Nothing new: said once after a failure, for null may also mean that no answer came yet.
          if (this.#failing) batch ??= emptyBatch(this.#position);
          this.#failing = false;
          if (batch !== null) return batch;
        }
        this.#loading ??= this.#load(bytesMax, waitMs);
        const loaded = await this.#within(this.#loading, deadlineMs - this.#cluster.nowMs);
        if (loaded === null) return null;
        this.#loading = null;
        if ('error' in loaded) throw loaded.error;
        this.#held = loaded.batches;
      }
    } catch (error) {
      // Damage may have come on the way: the next call fetches anew, from the first offset not given out.
      this.#held = null;
      this.#failing = true;
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
  async #load(bytesMax: number, waitMs: number): Promise<Loaded> {
    try {
      const retryMs = Math.min(Math.max(readRetryMs, waitMs), this.#cluster.options.retryTimeMs);
      const fetchOnce = (tries: number) => this.#fetch(Math.max(bytesMax, fetchBytesMin), tries);
      const answer = await this.#cluster.retry(fetchOnce, retryMs, false);
      return { batches: this.#batchesOf(answer) };
    } catch (error) {
      this.#dropLeader();
      // What was told led nowhere: the next search believes whoever answers.
      this.#newest = null;
      return { error };
    }
  }

  #batchesOf(answer: FetchAnswer): FetchedBatches {
    const { options, wallUnixMs } = this.#cluster;
    const batches = new FetchedBatches(answer, this.#position, this.#name, options, wallUnixMs);
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
      const { nowMs } = this.#cluster;
      if (this.#leader !== null && (nowMs >= this.#leader.renewAtMs || this.#leader.isReplaced)) this.#dropLeader();
      const leader = (this.#leader ??= await this.#findLeader());
      if (leader.age.isDue(nowMs)) void this.#lookAgain(leader);
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
      leader.age.answered(answer.end === answer.start, this.#cluster.nowMs);
      if (tries > 1) this.#cluster.logger.info('a partition is read again', { partition: this.#name, tries });
      return answer;
    } catch (error) {
      const isPassing = error instanceof KafkaError && error.retriable;
      // Once: its caller tells of what goes on.
      if (isPassing && tries === 1 && !this.#failing) {
        this.#cluster.logger.warn('reading a partition is interrupted', { partition: this.#name, err: error });
      }
      this.#dropLeader();
      throw error;
    }
  }

  async #findLeader(): Promise<Leader> {
    const { topic, found } = await this.#look();
    const { leader: nodeId, leaderEpoch: epoch } = found;
    const { connection, renewAtMs } = await this.#cluster.dedicated(nodeId);
    if (this.#closed) connection.close();
    const age = new LeaderAge(this.#cluster.nowMs);
    return { connection, renewAtMs, nodeId, epoch, topicId: topic.idBytes, age, isReplaced: false };
  }

  /** Who leads, by the newest that was told: who is asked may be behind, and would send us back to a former leader. */
  async #look(): Promise<{ topic: KafkaTopic; found: PartitionMetadata }> {
    // The leader that we know is asked last: cut off, it is the one that doesn't know of its successor.
    const topic = await this.#topics.same(this.#topic, this.#partition.topicId, this.#newest?.leader);
    const told = leaderOf(topic, this.#partition.partition);
    if (this.#newest === null || told.leaderEpoch >= this.#newest.leaderEpoch) this.#newest = told;
    return { topic, found: this.#newest };
  }

  /** Beside the fetches, which go on. Never rejects. */
  async #lookAgain(leader: Leader): Promise<void> {
    leader.age.looked(this.#cluster.nowMs);
    try {
      const { found } = await this.#look();
      if (found.leader === leader.nodeId) leader.epoch = found.leaderEpoch;
      else leader.isReplaced = true;
    } catch (error) {
      // Another topic, which the next search for a leader will say; without an answer it is asked again soon.
      if (error instanceof LogError) leader.isReplaced = true;
    }
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
