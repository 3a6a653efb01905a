import {
  defaultShardSettings,
  keyLeftOut,
  type Log,
  LogError,
  outputBytesHeader,
  outputTopicHeader,
  type TopicInfo,
  truncatedHeader,
} from '@holdfast/engine';
import { ownHeaderPrefix } from '@holdfast/processor';
import type { DeadLetter, Place } from './dead-letter.ts';

export const { deadLetterTopic } = defaultShardSettings;
const fetchBytes = 1 << 20;
const fetchWaitMs = 2_000;
/** Looked through in one go, backwards. */
const stretchRecords = 1_000;

/** A record as it lies in the log. */
export interface StoredRecord {
  readonly offset: number;
  readonly atUnixMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** First and end offset of a partition. */
interface Range {
  readonly partition: number;
  readonly begin: number;
  readonly end: number;
}

/** Reads the topic of dead letters, as far as it goes now: what comes later is left out. */
export class LetterTopic {
  readonly #log: Log;
  readonly #info: TopicInfo;
  readonly ranges: readonly Range[];

  private constructor(log: Log, info: TopicInfo, ranges: readonly Range[]) {
    this.#log = log;
    this.#info = info;
    this.ranges = ranges;
  }

  /** Null: there is no such topic, so nothing has failed yet. */
  static async open(log: Log): Promise<LetterTopic | null> {
    const info = await log.describe(deadLetterTopic);
    if (info === null) return null;
    const [begins, ends] = [await log.offsetsAt(deadLetterTopic, 'earliest'), await log.endOffsets(deadLetterTopic)];
    const ranges = ends.map((end, partition) => ({ partition, begin: begins[partition]!, end }));
    return new LetterTopic(log, info, ranges);
  }

  get records(): number {
    return this.ranges.reduce((sum, { begin, end }) => sum + end - begin, 0);
  }

  /** One partition's letters, oldest first. */
  async *letters(partition: number, from: number, to: number): AsyncGenerator<DeadLetter> {
    for await (const record of recordsOf(this.#log, this.#info, partition, from, to)) {
      yield letterOf(partition, record);
    }
  }

  /** Null: no letter is there. */
  async at(partition: number, offset: number): Promise<DeadLetter | null> {
    const range = this.ranges[partition];
    if (range === undefined || offset < range.begin || offset >= range.end) return null;
    for await (const letter of this.letters(partition, offset, offset + 1)) return letter;
    return null;
  }

  /**
   * The newest letters that match, newest first, and how many were looked at: `lookedMax` at most.
   */
  async newest(
    count: number,
    lookedMax: number,
    isWanted: (letter: DeadLetter) => boolean,
  ): Promise<{ letters: DeadLetter[]; looked: number }> {
    const found: DeadLetter[] = [];
    let looked = 0;
    for (const { partition, begin, end } of this.ranges) {
      let ofPartition = 0;
      for (let to = end; to > begin && ofPartition < count && looked < lookedMax; ) {
        const from = Math.max(begin, to - Math.min(stretchRecords, lookedMax - looked));
        for await (const letter of this.letters(partition, from, to)) {
          if (!isWanted(letter)) continue;
          found.push(letter);
          ofPartition++;
        }
        looked += to - from;
        to = from;
      }
    }
    const age = (a: DeadLetter, b: DeadLetter) => (b.atUnixMs || 0) - (a.atUnixMs || 0) || b.offset - a.offset;
    return { letters: found.sort(age).slice(0, count), looked };
  }
}

/** The record that failed, if the input still keeps it. */
export async function originalOf(log: Log, { topic, partition, offset }: Place): Promise<StoredRecord | null> {
  try {
    const info = await log.describe(topic);
    if (info === null || partition >= info.partitions) return null;
    const [begin, end] = [
      (await log.offsetsAt(topic, 'earliest'))[partition]!,
      (await log.endOffsets(topic))[partition]!,
    ];
    if (offset < begin || offset >= end) return null;
    for await (const record of recordsOf(log, info, partition, offset, offset + 1)) return record;
    return null;
  } catch (error) {
    // Retention may take it while we look.
    if (error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE') return null;
    throw error;
  }
}

async function* recordsOf(
  log: Log,
  { topic, topicId }: TopicInfo,
  partition: number,
  from: number,
  to: number,
): AsyncGenerator<StoredRecord> {
  if (from >= to) return;
  const reader = await log.openReader(topic, { topicId, partition }, from);
  try {
    for (let at = from; at < to; ) {
      const batch = await reader.next(fetchBytes, fetchWaitMs);
      // A log that keeps something for itself at the very end has nothing more to give.
      if (batch === null) return;
      const part = (start: number, end: number) => (start < 0 ? null : batch.bytes.slice(start, end));
      for (let i = 0; i < batch.count; i++) {
        const offset = batch.offsets[i]!;
        if (offset >= to) return;
        yield {
          offset,
          atUnixMs: batch.timestampsUnixMs[i]!,
          key: part(batch.keyStarts[i]!, batch.keyEnds[i]!),
          value: part(batch.valueStarts[i]!, batch.valueEnds[i]!),
          headers: batch.headersOf?.(i) ?? {},
        };
      }
      at = batch.nextOffset;
    }
  } finally {
    await reader.close();
  }
}

function letterOf(
  letterPartition: number,
  { offset: letterOffset, atUnixMs, key, value, headers }: StoredRecord,
): DeadLetter {
  const { id = '', reason = '?', job = '?', version = '?', topic, partition, offset } = headers;
  const own = Object.entries(headers).filter(([name]) => name.startsWith(ownHeaderPrefix));
  const isPlaced = topic !== undefined && /^\d+$/.test(partition ?? '') && /^\d+$/.test(offset ?? '');
  const { [truncatedHeader]: wholeBytes, [outputTopicHeader]: outputTopic, 'key-is': keyIs } = headers;
  return {
    partition: letterPartition,
    offset: letterOffset,
    atUnixMs,
    id,
    reason,
    job,
    version,
    from: isPlaced ? { topic, partition: Number(partition), offset: Number(offset) } : null,
    output: outputTopic === undefined ? null : { topic: outputTopic, bytes: Number(headers[outputBytesHeader] ?? 0) },
    keyIs: keyIs === 'record' || keyIs === keyLeftOut ? keyIs : 'user',
    key,
    value,
    wholeBytes: wholeBytes === undefined ? null : Number(wholeBytes),
    ownHeaders: Object.fromEntries(own.map(([name, text]) => [name.slice(ownHeaderPrefix.length), text])),
  };
}
