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
import { type Clock, type PartitionId, partitionKey, topicId } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';
import { batchOf, offsetAt, type StoredRecord } from './log-batch.ts';
import type { NetworkTime } from './network-time.ts';
import { type TwinHooks, throughHooks } from './twin-hooks.ts';

/** Time for waits and append stamps; the engine's `Timers` are enough. */
export type MemoryLogTime = NetworkTime & Clock;

interface MemoryTopic {
  readonly info: TopicInfo;
  readonly partitions: StoredRecord[][];
  /** Per partition: what is before is no longer kept. */
  readonly firstKept: number[];
  /** Key, value and headers of a record; a larger one is refused. */
  readonly recordBytesMax: number;
}

/** What outlives the processes: topics, records, committed offsets. Any number of `MemoryLog`s share one. */
export class MemoryLogDisk {
  readonly topics = new Map<string, MemoryTopic>();
  readonly commits = new Map<string, OffsetCommit>();
  /** Called after each append and deletion. */
  readonly watchers = new Set<() => void>();
  /** How often anything changed. */
  changes = 0;
  #topicCount = 0;

  createTopic(topic: string, partitions: number, recordBytesMax = Number.POSITIVE_INFINITY): TopicInfo {
    const existing = this.topics.get(topic);
    if (existing !== undefined) return existing.info;
    const info = { topic, topicId: topicId(`memory-${++this.#topicCount}`), partitions };
    const firstKept = Array.from({ length: partitions }, () => 0);
    const records = firstKept.map(() => []);
    this.topics.set(topic, { info, partitions: records, firstKept, recordBytesMax });
    return info;
  }

  /** As retention does. */
  dropBefore(topic: string, partition: number, offset: number): void {
    this.topics.get(topic)!.firstKept[partition] = offset;
  }

  deleteTopic(topic: string): void {
    this.topics.delete(topic);
    this.changed();
  }

  changed(): void {
    this.changes++;
    for (const watcher of [...this.watchers]) watcher();
  }
}

/** The in-memory twin of the log: one process's connection to the disk. */
export class MemoryLog implements Log {
  readonly #disk: MemoryLogDisk;
  readonly #timers: MemoryLogTime;
  readonly #hooks: TwinHooks;
  readonly #readers = new Set<MemoryLogReader>();
  #closed = false;

  constructor(disk: MemoryLogDisk, timers: MemoryLogTime, hooks: TwinHooks = {}) {
    this.#disk = disk;
    this.#timers = timers;
    this.#hooks = hooks;
  }

  describe(topic: string): Promise<TopicInfo | null> {
    return this.#do('describe', () => this.#disk.topics.get(topic)?.info ?? null);
  }

  createTopic(topic: string, partitions: number): Promise<TopicInfo> {
    return this.#do('createTopic', () => this.#disk.createTopic(topic, partitions));
  }

  openReader(topic: string, partition: PartitionId, fromOffset: number): Promise<LogReader> {
    return this.#do('openReader', () => {
      const look = (at: number, bytesMax: number) => this.#look(topic, partition, at, bytesMax);
      const reader = new MemoryLogReader(this.#disk, this.#timers, this.#hooks, look, fromOffset, () =>
        this.#readers.delete(reader),
      );
      this.#readers.add(reader);
      return reader;
    });
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    return this.#do('append', () => {
      const { partitions, recordBytesMax } = this.#topic(topic);
      const stored = partitions[partition];
      if (stored === undefined) throw new LogError('UNKNOWN_TOPIC', `topic ${topic} has no partition ${partition}`);
      const first = stored.length;
      const appendedUnixMs = this.#timers.wallUnixMs();
      for (const record of records) {
        const bytes = recordBytes(record);
        if (bytes > recordBytesMax) {
          if (stored.length > first) this.#disk.changed();
          const text = `a record of ${bytes} bytes for ${topic}/${partition}, which takes ${recordBytesMax} at most`;
          throw new LogError('RECORD_TOO_LARGE', text, { appended: stored.length - first });
        }
        const { key, value, headers } = record;
        const kept = { key: key?.slice() ?? null, value: value?.slice() ?? null, appendedUnixMs };
        stored.push(headers === undefined ? kept : { ...kept, headers });
      }
      this.#disk.changed();
      return first;
    });
  }

  committed(group: string, partition: PartitionId): Promise<CommittedOffset | null> {
    return this.#do('committed', () => {
      const stored = this.#disk.commits.get(commitKey(group, partition));
      return stored === undefined ? null : { offset: stored.offset, generationId: stored.generationId };
    });
  }

  commit(group: string, commits: readonly OffsetCommit[]): Promise<CommitResult[]> {
    return this.#do('commit', () =>
      commits.map((commit) => {
        if (!this.#has(commit.partition)) return 'gone';
        const key = commitKey(group, commit.partition);
        if ((this.#disk.commits.get(key)?.fence ?? 0) > commit.fence) return 'fenced';
        this.#disk.commits.set(key, commit);
        return 'ok';
      }),
    );
  }

  highestFence(): Promise<number> {
    return this.#do('highestFence', () =>
      [...this.#disk.commits.values()].reduce((highest, { fence }) => Math.max(highest, fence), 0),
    );
  }

  endOffsets(topic: string): Promise<number[]> {
    return this.#do('endOffsets', () => this.#topic(topic).partitions.map((records) => records.length));
  }

  offsetsAt(topic: string, position: TopicPosition, partitions?: readonly number[]): Promise<number[]> {
    return this.#do('offsetsAt', () => {
      const { partitions: all, firstKept } = this.#topic(topic);
      const numbers = partitions ?? [...all.keys()];
      return numbers.map((partition) => {
        const records = all[partition];
        if (records === undefined) throw new LogError('UNKNOWN_TOPIC', `topic ${topic} has no partition ${partition}`);
        return Math.max(firstKept[partition]!, offsetAt(records, position));
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
  }

  #look(topic: string, partition: PartitionId, at: number, bytesMax: number): RecordBatch | null {
    const stored = this.#disk.topics.get(topic);
    const records = stored?.partitions[partition.partition];
    if (stored?.info.topicId !== partition.topicId || records === undefined) {
      throw new LogError('TOPIC_CHANGED', `topic ${topic} is no longer ${partition.topicId}`);
    }
    const first = stored.firstKept[partition.partition]!;
    if (!(at >= first && at <= records.length)) {
      throw new LogError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${at} of ${partitionKey(partition)}, which has ${first} to ${records.length}`,
      );
    }
    return at === records.length ? null : batchOf(records, at, bytesMax);
  }

  #has({ topicId, partition }: PartitionId): boolean {
    return [...this.#disk.topics.values()].some(({ info }) => info.topicId === topicId && partition < info.partitions);
  }

  #topic(topic: string): MemoryTopic {
    const stored = this.#disk.topics.get(topic);
    if (stored === undefined) throw new LogError('UNKNOWN_TOPIC', `there is no topic ${topic}`);
    return stored;
  }

  async #do<T>(operation: string, apply: () => T): Promise<T> {
    if (this.#closed) throw new LogError('LOG_CLOSED', 'the log is closed');
    return throughHooks(this.#hooks, operation, apply);
  }
}

class MemoryLogReader implements LogReader {
  readonly #disk: MemoryLogDisk;
  readonly #timers: MemoryLogTime;
  readonly #hooks: TwinHooks;
  readonly #look: (at: number, bytesMax: number) => RecordBatch | null;
  readonly #onClose: () => void;
  #position: number;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(
    disk: MemoryLogDisk,
    timers: MemoryLogTime,
    hooks: TwinHooks,
    look: (at: number, bytesMax: number) => RecordBatch | null,
    fromOffset: number,
    onClose: () => void,
  ) {
    this.#disk = disk;
    this.#timers = timers;
    this.#hooks = hooks;
    this.#look = look;
    this.#position = fromOffset;
    this.#onClose = onClose;
  }

  async next(bytesMax: number, waitMs: number): Promise<RecordBatch | null> {
    const deadlineMs = this.#timers.monotonicMs() + waitMs;
    for (;;) {
      if (this.#closed) return null;
      const seen = this.#disk.changes;
      const batch = await throughHooks(this.#hooks, 'next', () => this.#look(this.#position, bytesMax));
      if (batch !== null) {
        this.#position = batch.nextOffset;
        return batch;
      }
      const leftMs = deadlineMs - this.#timers.monotonicMs();
      if (leftMs <= 0 || this.#closed) return null;
      // What came during the look would not wake it.
      if (this.#disk.changes === seen) await this.#change(leftMs);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    this.#onClose();
  }

  #change(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.setTimer(waitMs, () => this.#wake());
      this.#wake = () => {
        cancel();
        this.#disk.watchers.delete(this.#wake);
        resolve();
      };
      this.#disk.watchers.add(this.#wake);
    });
  }
}

function recordBytes({ key, value, headers = {} }: NewRecord): number {
  const texts = Object.entries(headers).flat();
  return texts.reduce((sum, text) => sum + text.length, (key?.length ?? 0) + (value?.length ?? 0));
}

function commitKey(group: string, partition: PartitionId): string {
  return `${group}\0${partitionKey(partition)}`;
}
