import {
  defaultShardSettings,
  keyLeftOut,
  type Log,
  outputBytesHeader,
  outputTopicHeader,
  type TopicInfo,
  truncatedHeader,
} from '@holdfast/engine';
import { ownHeaderPrefix } from '@holdfast/processor';
import type { DeadLetter } from './dead-letter.ts';
import { type LetterRow, letterRow } from './letter-documents.ts';
import { type StoredRecord, storedRecords } from './stored-records.ts';

export const { deadLetterTopic } = defaultShardSettings;
/** Of one partition, looked through in one go, backwards. */
const stretchRecords = 1_000;

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
  readonly #patienceMs: number;
  readonly ranges: readonly Range[];

  private constructor(log: Log, info: TopicInfo, patienceMs: number, ranges: readonly Range[]) {
    this.#log = log;
    this.#info = info;
    this.#patienceMs = patienceMs;
    this.ranges = ranges;
  }

  /**
   * Null: there is no such topic, so nothing has failed yet.
   * @param patienceMs what isn't there for so long fails the reading: no letter is left out
   */
  static async open(log: Log, patienceMs: number): Promise<LetterTopic | null> {
    const info = await log.describe(deadLetterTopic);
    if (info === null) return null;
    const [begins, ends] = [await log.offsetsAt(deadLetterTopic, 'earliest'), await log.endOffsets(deadLetterTopic)];
    const ranges = ends.map((end, partition) => ({ partition, begin: begins[partition]!, end }));
    return new LetterTopic(log, info, patienceMs, ranges);
  }

  get records(): number {
    return this.ranges.reduce((sum, { begin, end }) => sum + end - begin, 0);
  }

  /** One partition's letters, oldest first. */
  async *letters(partition: number, from: number, to: number): AsyncGenerator<DeadLetter> {
    for await (const record of storedRecords(this.#log, this.#info, partition, from, to, this.#patienceMs)) {
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
   * The newest letters that match, newest first, and how many were looked at: `lookedMax` at most, of all partitions
   * about as many. Without their bytes: thousands of letters of megabytes would be more than there is memory.
   */
  async newest(
    count: number,
    lookedMax: number,
    isWanted: (letter: DeadLetter) => boolean,
  ): Promise<{ letters: LetterRow[]; looked: number }> {
    const found: { readonly atUnixMs: number; readonly offset: number; readonly row: LetterRow }[] = [];
    let looked = 0;
    // Of one partition no more than `count` can be among the newest of all.
    let walks = this.ranges.map(({ partition, begin, end }) => ({ partition, begin, to: end, found: 0 }));
    const goesOn = (walk: (typeof walks)[number]) => walk.to > walk.begin && walk.found < count;
    for (walks = walks.filter(goesOn); walks.length > 0 && looked < lookedMax; walks = walks.filter(goesOn)) {
      // In turns, so that the first partitions don't use up what is to be looked at.
      const share = Math.max(1, Math.min(stretchRecords, Math.floor((lookedMax - looked) / walks.length)));
      for (const walk of walks.slice(0, lookedMax - looked)) {
        const from = Math.max(walk.begin, walk.to - share);
        for await (const letter of this.letters(walk.partition, from, walk.to)) {
          if (!isWanted(letter)) continue;
          found.push({ atUnixMs: letter.atUnixMs, offset: letter.offset, row: letterRow(letter) });
          walk.found++;
        }
        looked += walk.to - from;
        walk.to = from;
      }
    }
    found.sort((a, b) => (b.atUnixMs || 0) - (a.atUnixMs || 0) || b.offset - a.offset);
    return { letters: found.slice(0, count).map(({ row }) => row), looked };
  }
}

function letterOf(
  letterPartition: number,
  { offset: letterOffset, atUnixMs, key, value, headers }: StoredRecord,
): DeadLetter {
  const { id = '', reason = '?', job = '?', version = '?', topic, partition, offset } = headers;
  const own = Object.entries(headers).filter(([name]) => name.startsWith(ownHeaderPrefix));
  const [partitionNumber, offsetNumber] = [countOf(partition), countOf(offset)];
  const isPlaced = topic !== undefined && partitionNumber !== null && offsetNumber !== null;
  const { [truncatedHeader]: wholeBytes, [outputTopicHeader]: outputTopic, 'key-is': keyIs } = headers;
  return {
    partition: letterPartition,
    offset: letterOffset,
    atUnixMs,
    id,
    reason,
    job,
    version,
    from: isPlaced ? { topic, partition: partitionNumber, offset: offsetNumber } : null,
    output: outputTopic === undefined ? null : { topic: outputTopic, bytes: countOf(headers[outputBytesHeader]) },
    keyIs: keyIs === 'record' || keyIs === keyLeftOut ? keyIs : 'user',
    key,
    value,
    wholeBytes: wholeBytes === undefined ? null : (countOf(wholeBytes) ?? Number.NaN),
    ownHeaders: Object.fromEntries(own.map(([name, text]) => [name.slice(ownHeaderPrefix.length), text])),
  };
}

/** Null: it is none. Who wrote a letter may be anybody. */
function countOf(header: string | undefined): number | null {
  return /^\d{1,15}$/.test(header ?? '') ? Number(header) : null;
}
