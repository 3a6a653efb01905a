import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  type CommitResult,
  type CommittedOffset,
  type Log,
  LogError,
  type LogReader,
  type NewRecord,
  type OffsetCommit,
  type TopicInfo,
  type TopicPosition,
} from '@holdfast/engine';
import { assert, type Clock, type PartitionId, type TopicId, topicId } from '@holdfast/model';
import { asBuffer, readU64, textKey, u64Key } from './binary-keys.ts';
import { type Comparison, compareAndPut } from './compare-and-put.ts';
import { type EnvLimits, LmdbEnv } from './lmdb-env.ts';
import { LmdbLogReader } from './lmdb-log-reader.ts';
import { LogAppender } from './log-appender.ts';
import { encodeBlocks, LogBlock } from './log-block.ts';
import { logError } from './log-error.ts';
import {
  blockKey,
  commitKey,
  decodeCommit,
  decodeTopic,
  encodeCommit,
  encodeHead,
  encodeTopic,
  headKey,
  type LogTables,
  logTableSpecs,
  logTables,
  type StoredTopic,
} from './log-tables.ts';

const nextTopicKey = textKey('next-topic');
const topicNameBytesMax = 249;
export const partitionsMax = 10_000;
/** Blocks removed per transaction when a topic is deleted. */
const removeBlocks = 256;
const blocksPerTurn = 64;

/**
 * The log in an LMDB environment that the processes of one machine share. Everything that a call has answered is
 * durable, and readers see nothing else. Appends of one process that wait for the disk travel in one transaction.
 */
export class LmdbLog implements Log {
  readonly env: LmdbEnv;
  readonly tables: LogTables;
  readonly clock: Clock;
  readonly #appender: LogAppender;
  readonly #readers = new Set<LmdbLogReader>();
  #closed = false;

  private constructor(env: LmdbEnv, clock: Clock) {
    this.env = env;
    this.tables = logTables(env);
    this.clock = clock;
    this.#appender = new LogAppender(env, this.tables);
  }

  /**
   * Opens or creates the log in the folder `path`. The clock stamps appends and measures waits.
   * @throws LogError LOG_IO
   */
  static async open(path: string, clock: Clock, limits: Partial<EnvLimits> = {}): Promise<LmdbLog> {
    try {
      return new LmdbLog(await LmdbEnv.open(path, logTableSpecs, limits), clock);
    } catch (cause) {
      throw new LogError('LOG_IO', `cannot open the log ${path}`, { cause });
    }
  }

  async describe(topic: string): Promise<TopicInfo | null> {
    return this.#io(() => {
      const stored = this.topic(topic);
      return stored === null ? null : infoOf(stored);
    });
  }

  async createTopic(topic: string, partitions: number): Promise<TopicInfo> {
    const nameBytes = Buffer.byteLength(topic);
    assert(nameBytes > 0 && nameBytes <= topicNameBytesMax, `a topic's name has 1 to ${topicNameBytesMax} bytes`);
    assert(Number.isInteger(partitions) && partitions > 0 && partitions <= partitionsMax, `${partitions} partitions`);
    return this.#io(async () => {
      const existing = this.topic(topic);
      if (existing !== null) return infoOf(existing);
      const created = await this.env.exclusive(() => {
        const { meta, topics, heads } = this.tables;
        const found = topics.getBinary(textKey(topic));
        if (found !== undefined) return decodeTopic(topic, found);
        const next = meta.getBinary(nextTopicKey);
        const number = next === undefined ? 1 : readU64(next, 0);
        const stored: StoredTopic = { topic, topicId: topicId(randomUUID()), partitions, number };
        void meta.put(nextTopicKey, u64Key(number + 1));
        void topics.put(textKey(topic), encodeTopic(stored));
        for (let p = 0; p < partitions; p++) void heads.put(headKey(number, p), encodeHead(0), 1);
        return stored;
      });
      return infoOf(created);
    });
  }

  /** For tests and tools: the topic and its records are gone; one created later under the name is another. */
  async deleteTopic(topic: string): Promise<void> {
    await this.#io(async () => {
      const gone = await this.env.exclusive(() => {
        const { topics, heads } = this.tables;
        const found = topics.getBinary(textKey(topic));
        if (found === undefined) return null;
        const stored = decodeTopic(topic, found);
        void topics.remove(textKey(topic));
        for (let p = 0; p < stored.partitions; p++) void heads.remove(headKey(stored.number, p));
        return stored;
      });
      if (gone === null) return;
      const { blocks } = this.tables;
      const range = { start: blockKey(gone.number, 0, 0), end: blockKey(gone.number + 1, 0, 0), limit: removeBlocks };
      for (;;) {
        this.env.refresh();
        const keys = Array.from(blocks.getKeys(range)) as Buffer[];
        if (keys.length === 0) return;
        await this.env.write(() => keys.map((key) => blocks.remove(key)));
      }
    });
  }

  async openReader(topic: string, partition: PartitionId, fromOffset: number): Promise<LogReader> {
    return this.#io(() => {
      const reader = new LmdbLogReader(this, topic, partition, fromOffset, () => this.#readers.delete(reader));
      this.#readers.add(reader);
      return reader;
    });
  }

  async append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    return this.#io(async () => {
      const stored = this.existing(topic, partition);
      if (records.length === 0) return this.head(stored, partition);
      const blocks = encodeBlocks(records, this.clock.wallUnixMs());
      return this.#appender.append(stored, partition, blocks);
    });
  }

  async committed(group: string, partition: PartitionId): Promise<CommittedOffset | null> {
    return this.#io(() => {
      this.env.refresh();
      const stored = this.tables.commits.getBinary(commitKey(group, partition));
      if (stored === undefined) return null;
      const { offset, generationId } = decodeCommit(stored);
      return { offset, generationId };
    });
  }

  async commit(group: string, commits: readonly OffsetCommit[]): Promise<CommitResult[]> {
    return this.#io(async () => {
      const topics = this.#topicsById();
      const results = commits.map(({ partition: { topicId, partition } }): CommitResult => {
        return partition < (topics.get(topicId)?.partitions ?? 0) ? 'ok' : 'gone';
      });
      const items = commits.flatMap((commit, i): Comparison[] => {
        if (results[i] === 'gone') return [];
        const item: Comparison = {
          key: commitKey(group, commit.partition),
          decide: (stored) => {
            const fenced = stored !== null && decodeCommit(stored).fence > commit.fence;
            results[i] = fenced ? 'fenced' : 'ok';
            return fenced ? null : encodeCommit(commit);
          },
        };
        return [item];
      });
      await compareAndPut(this.env, this.tables.commits, items);
      return results;
    });
  }

  async highestFence(): Promise<number> {
    return this.#io(() => {
      this.env.refresh();
      const fences = Array.from(this.tables.commits.getRange(), ({ value }) => decodeCommit(asBuffer(value)).fence);
      return fences.reduce((highest, fence) => Math.max(highest, fence), 0);
    });
  }

  async endOffsets(topic: string): Promise<number[]> {
    return this.#io(() => {
      const stored = this.existing(topic, 0);
      return Array.from({ length: stored.partitions }, (_, p) => this.head(stored, p));
    });
  }

  async offsetsAt(topic: string, position: TopicPosition, partitions?: readonly number[]): Promise<number[]> {
    return this.#io(async () => {
      const stored = this.existing(topic, Math.max(0, ...(partitions ?? [])));
      const numbers = partitions ?? Array.from({ length: stored.partitions }, (_, partition) => partition);
      if (position === 'earliest') return numbers.map(() => 0);
      if (position === 'latest') return numbers.map((partition) => this.head(stored, partition));
      const offsets: number[] = [];
      for (const partition of numbers) {
        offsets.push(await this.#firstSince(stored, partition, position.timestampUnixMs));
      }
      return offsets;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.#appender.idle();
    await this.env.close();
  }

  /** As last committed by any process; null when there is none. For the package's own parts. */
  topic(topic: string): StoredTopic | null {
    this.env.refresh();
    const stored = this.tables.topics.getBinary(textKey(topic));
    return stored === undefined ? null : decodeTopic(topic, stored);
  }

  /** @throws LogError UNKNOWN_TOPIC */
  existing(topic: string, partition: number): StoredTopic {
    const stored = this.topic(topic);
    if (stored === null) throw new LogError('UNKNOWN_TOPIC', `there is no topic ${topic}`);
    if (!(Number.isInteger(partition) && partition >= 0 && partition < stored.partitions)) {
      throw new LogError(
        'UNKNOWN_TOPIC',
        `topic ${topic} has ${stored.partitions} partitions, not one numbered ${partition}`,
      );
    }
    return stored;
  }

  /** The next offset, in the snapshot read last. */
  head(topic: StoredTopic, partition: number): number {
    return this.tables.heads.getBinary(headKey(topic.number, partition))?.readDoubleLE(0) ?? 0;
  }

  /** All of them; they are few. */
  #topicsById(): Map<TopicId, StoredTopic> {
    this.env.refresh();
    const topics = Array.from(this.tables.topics.getRange(), ({ key, value }) => {
      return decodeTopic((key as Buffer).toString(), value as Buffer);
    });
    return new Map(topics.map((topic) => [topic.topicId, topic]));
  }

  /** Reads every block up to it, some in a turn: for the start of a job, not for the way of a record. */
  async #firstSince(topic: StoredTopic, partition: number, timestampUnixMs: number): Promise<number> {
    const end = blockKey(topic.number, partition + 1, 0);
    for (let next = 0; ; ) {
      if (this.#closed) throw new LogError('LOG_CLOSED', 'the log is closed');
      this.env.refresh();
      const range = { start: blockKey(topic.number, partition, next), end, limit: blocksPerTurn };
      let seen = 0;
      for (const { key, value } of this.tables.blocks.getRange(range)) {
        const block = new LogBlock(value, readU64(key as Buffer, 8));
        if (block.appendedUnixMs >= timestampUnixMs) return block.baseOffset;
        next = block.baseOffset + block.count;
        seen++;
      }
      if (seen < blocksPerTurn) return this.head(topic, partition);
      await setImmediate();
    }
  }

  async #io<T>(run: () => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new LogError('LOG_CLOSED', 'the log is closed');
    try {
      return await run();
    } catch (error) {
      throw logError(error);
    }
  }
}

function infoOf(stored: StoredTopic): TopicInfo {
  return { topic: stored.topic, topicId: stored.topicId, partitions: stored.partitions };
}
