import { setTimeout as delay } from 'node:timers/promises';
import { LogError, type LogReader } from '@holdfast/engine';
import { type PartitionId, partitionKey } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';
import { BatchBuilder } from './batch-builder.ts';
import { readU64 } from './binary-keys.ts';
import { EmbeddedError } from './errors.ts';
import type { LmdbLog } from './lmdb-log.ts';
import { LogBlock } from './log-block.ts';
import { logError } from './log-error.ts';
import { blockKey, type StoredTopic } from './log-tables.ts';

/** LMDB tells nobody of another process's commit, so the reader looks: soon after the last record, then ever less often. */
const pollMsMin = 1;
const pollMsMax = 20;

/** Reads one partition, block by block; each look is a read transaction of its own. */
export class LmdbLogReader implements LogReader {
  readonly #log: LmdbLog;
  readonly #topic: string;
  readonly #partition: PartitionId;
  readonly #onClose: () => void;
  #position: number;
  /** Begun and not used up. */
  #block: LogBlock | null = null;
  readonly #closing = new AbortController();

  constructor(log: LmdbLog, topic: string, partition: PartitionId, fromOffset: number, onClose: () => void) {
    this.#log = log;
    this.#topic = topic;
    this.#partition = partition;
    this.#position = fromOffset;
    this.#onClose = onClose;
  }

  async next(bytesMax: number, waitMs: number): Promise<RecordBatch | null> {
    const deadlineMs = this.#log.clock.monotonicMs() + waitMs;
    for (let pollMs = pollMsMin; ; pollMs = Math.min(pollMs * 2, pollMsMax)) {
      if (this.#closing.signal.aborted) return null;
      const batch = this.#look(bytesMax);
      if (batch !== null) return batch;
      const leftMs = deadlineMs - this.#log.clock.monotonicMs();
      if (leftMs <= 0) return null;
      const signal = this.#closing.signal;
      await delay(Math.min(pollMs, Math.max(leftMs, 1)), undefined, { signal }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#block = null;
    this.#onClose();
  }

  #look(bytesMax: number): RecordBatch | null {
    try {
      const topic = this.#sameTopic();
      const end = this.#log.head(topic, this.#partition.partition);
      if (!(this.#position >= 0 && this.#position <= end)) {
        const found = `${partitionKey(this.#partition)} has offsets 0 to ${end}`;
        throw new LogError('OFFSET_OUT_OF_RANGE', `offset ${this.#position} of ${this.#topic}: ${found}`);
      }
      const builder = new BatchBuilder();
      let position = this.#position;
      let block = this.#block;
      // After a failure the block is read anew: its cursor may have moved past what nobody got.
      this.#block = null;
      while (position < end && (builder.isEmpty || builder.bytes < bytesMax)) {
        block ??= this.#blockFor(builder, topic, position);
        if (block === null) break;
        const before = block.recordAt;
        builder.take(block, bytesMax);
        position += block.recordAt - before;
        if (block.recordAt < block.count) break;
        block = null;
      }
      const batch = builder.isEmpty ? null : builder.finish();
      // Only now: what is behind the position counts as given out.
      this.#position = position;
      this.#block = block;
      return batch;
    } catch (error) {
      throw logError(error);
    }
  }

  /** @throws LogError TOPIC_CHANGED */
  #sameTopic(): StoredTopic {
    const topic = this.#log.topic(this.#topic);
    if (topic !== null && topic.topicId === this.#partition.topicId && this.#partition.partition < topic.partitions) {
      return topic;
    }
    const now = topic === null ? 'it no longer exists' : `it now has the id ${topic.topicId}`;
    throw new LogError('TOPIC_CHANGED', `topic ${this.#topic} with the id ${this.#partition.topicId}: ${now}`);
  }

  /** Null when it can't be read and the batch has records already: they are given out, and the next look fails. */
  #blockFor(builder: BatchBuilder, topic: StoredTopic, offset: number): LogBlock | null {
    try {
      return this.#blockAt(topic, offset);
    } catch (error) {
      if (builder.isEmpty) throw error;
      return null;
    }
  }

  /** The block that holds the offset, with its cursor there. Blocks follow one another, so mostly it begins there. */
  #blockAt(topic: StoredTopic, offset: number): LogBlock {
    const { blocks } = this.#log.tables;
    const { partition } = this.#partition;
    const exact = blocks.getBinary(blockKey(topic.number, partition, offset));
    if (exact !== undefined) return new LogBlock(exact, offset);
    const start = blockKey(topic.number, partition, offset);
    const end = blockKey(topic.number, partition, 0);
    const [before] = Array.from(blocks.getRange({ start, end, reverse: true, inclusiveEnd: true, limit: 1 }));
    if (before !== undefined) {
      const block = new LogBlock(before.value, readU64(before.key as Buffer, 8));
      block.skipTo(offset - block.baseOffset);
      if (block.recordAt < block.count) return block;
    }
    throw new EmbeddedError('CORRUPT', `no block of ${this.#topic}/${partition} holds offset ${offset}`);
  }
}
