import { type FileHandle, open, realpath } from 'node:fs/promises';
import type { NewRecord } from '@holdfast/engine';
import { asBuffer } from './binary-keys.ts';
import { EmbeddedError } from './errors.ts';
import { FedSum } from './fed-sum.ts';
import { decodeFeedState, encodeFeedState, type FeedState, feedKey } from './feed-state.ts';
import { passedOver } from './grown-file.ts';
import { type Line, LineSplitter } from './line-splitter.ts';
import type { LmdbLog } from './lmdb-log.ts';
import { type EncodedBlock, encodeBlocks } from './log-block.ts';
import { logError } from './log-error.ts';
import { blockKey, encodeHead, headKey, type StoredTopic } from './log-tables.ts';
import { fingerprintOf, lengthened, sumOf, whyOther } from './same-file.ts';

/** A longer line is fed whole, for the job to refuse with its offset, and counted. */
export const lineBytesMaxDefault = 1024 * 1024;
/** Of a line that is longer still only this much is fed, with the header `truncated`. */
export const lineBytesCap = 16 * 1024 * 1024;
/** Of UTF-8. */
const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf);
/** Read, and appended in one transaction. */
const chunkBytes = 1024 * 1024;

export interface FeedOptions {
  readonly topic: string;
  /** Name of the mapping: the same file through another one is another feed. */
  readonly mapping: string;
  readonly lineBytesMax?: number;
  /**
   * What to do when this very file was fed to its end before: feed it again, so that it counts anew (the default);
   * append nothing, because the run that fed it was cut short and only has to be brought to its end; or go on behind
   * that end, because the file may have grown, and refuse another file of that name. A last line without LF was fed as it was: it may have got its end since.
   */
  readonly whenComplete?: 'again' | 'skip' | 'goOn';
  /** With `skip`: what `completeRuns` was when the run began that was cut short. A feed that was complete by then isn't its. */
  readonly completeBefore?: number;
}

export interface FeedProgress {
  readonly run: number;
  /** Of the input, in the log. */
  readonly bytes: number;
  /** Null for a stream; a file may grow meanwhile. */
  readonly bytesTotal: number | null;
  readonly records: number;
  /** Since this start: lines over `lineBytesMax`. */
  readonly longLines: number;
  readonly complete: boolean;
  readonly began: FeedBegin;
}

/** How this feed stands to an earlier one of the same input. */
export type FeedBegin =
  | { readonly code: 'FRESH' }
  /** The earlier one was complete: all lines are fed again. */
  | { readonly code: 'AGAIN' }
  /** The earlier one was complete, and `whenComplete` says to leave it at that. */
  | { readonly code: 'COMPLETE_BEFORE'; readonly records: number }
  /** Goes on exactly where the earlier one was interrupted, or, with `goOn`, where it was complete. */
  | { readonly code: 'RESUMED'; readonly bytes: number; readonly records: number }
  /** The earlier one was interrupted, and this can't go on from it: a stream, or another file of that name. Its records stay. */
  | { readonly code: 'INTERRUPTED_BEFORE'; readonly bytes: number; readonly records: number };

/**
 * Appends the lines of a file to a topic, line n to partition n modulo their number (not by user: finding a record's
 * key is the job's work). The position is written with the lines, so a feed that is killed goes on exactly.
 * Yields after each chunk; nothing more is read until the consumer asks for it.
 * @throws LogError; EmbeddedError FEED_CONFLICT, FEED_LINE_GREW, FEED_OTHER_FILE; the file's own errors
 */
export async function* feedFile(log: LmdbLog, path: string, options: FeedOptions): AsyncGenerator<FeedProgress> {
  const source = await realpath(path);
  const file = await open(source, 'r');
  try {
    const topic = log.existing(options.topic, 0);
    const { size } = await file.stat();
    const key = feedKey(topic.topicId, source, options.mapping);
    const earlier = stateOf(log, key);
    const standing = await standingOf(file, size, source, options, earlier);
    if (standing.code === 'COMPLETE') {
      const { run, bytes, records } = standing.earlier;
      const began = { code: 'COMPLETE_BEFORE', records } as const;
      yield { run, bytes, bytesTotal: size, records, longLines: 0, complete: true, began };
      return;
    }
    const feed = new Feed(log, topic, key, options, size, earlier, file, await fingerprintOf(file));
    if (standing.code === 'RESUMES') {
      const { bytes, sum } = standing.earlier;
      const passed = await passedOver(file, source, options.topic, standing.earlier);
      const to = bytes + (passed ?? 0);
      feed.resume(to, sum === null ? await sumOf(file, 0, to) : await sumOf(file, bytes, to, sum));
      if (passed === null) {
        yield await feed.append([], true);
        return;
      }
    }
    for (let at = feed.bytes; ; ) {
      // Lines keep views of the chunk until they are appended: a new buffer each time.
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
      at += bytesRead;
      const lines = bytesRead === 0 ? feed.end() : feed.push(chunk.subarray(0, bytesRead));
      if (lines.length > 0 || bytesRead === 0) yield await feed.append(lines, bytesRead === 0);
      if (bytesRead === 0) return;
    }
  } finally {
    await file.close();
  }
}

/** How often a file was fed to its end, or at least begun anew after that. */
export async function completeRuns(log: LmdbLog, path: string, { topic, mapping }: FeedOptions): Promise<number> {
  const earlier = stateOf(log, feedKey(log.existing(topic, 0).topicId, await realpath(path), mapping));
  return earlier === null ? 0 : earlier.complete ? earlier.run : earlier.run - 1;
}

/**
 * The same for a stream, such as standard input. It can't be resumed: when an earlier one of that name was interrupted,
 * `began` says so, and all lines of this one are fed.
 * @param name of which one runs at a time; null: any number may feed the topic at once, and nothing is kept of this one
 */
export async function* feedStream(
  log: LmdbLog,
  name: string | null,
  stream: AsyncIterable<Uint8Array>,
  options: FeedOptions,
): AsyncGenerator<FeedProgress> {
  const topic = log.existing(options.topic, 0);
  const key = name === null ? null : feedKey(topic.topicId, name, options.mapping);
  const feed = new Feed(log, topic, key, options, null, key === null ? null : stateOf(log, key), null, null);
  for await (const chunk of stream) {
    const lines = feed.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (lines.length > 0) yield await feed.append(lines, false);
  }
  yield await feed.append(feed.end(), true);
}

type Standing = { readonly code: 'NEW' } | { readonly code: 'COMPLETE' | 'RESUMES'; readonly earlier: FeedState };

/**
 * How the file stands to what was fed under its name.
 * @throws EmbeddedError FEED_OTHER_FILE
 */
async function standingOf(
  file: FileHandle,
  size: number,
  path: string,
  { topic, whenComplete = 'again', completeBefore = 0 }: FeedOptions,
  earlier: FeedState | null,
): Promise<Standing> {
  if (earlier === null) return { code: 'NEW' };
  const isOver = whenComplete === 'again' || (whenComplete === 'skip' && earlier.run <= completeBefore);
  if (earlier.complete && isOver) return { code: 'NEW' };
  const why = await whyOther(file, size, earlier);
  if (why === null) return { code: earlier.complete && whenComplete === 'skip' ? 'COMPLETE' : 'RESUMES', earlier };
  if (whenComplete !== 'goOn') return { code: 'NEW' };
  const text =
    `${path} is not the file any more of which ${earlier.bytes} bytes (${earlier.records} records) were fed to topic ` +
    `${topic}: ${why}. Nothing was appended`;
  throw new EmbeddedError('FEED_OTHER_FILE', text);
}

function stateOf(log: LmdbLog, key: Buffer): FeedState | null {
  log.env.refresh();
  const stored = log.tables.feeds.getBinary(key);
  return stored === undefined ? null : decodeFeedState(stored);
}

/** One run of one feed. */
class Feed {
  readonly #log: LmdbLog;
  readonly #topic: StoredTopic;
  /** Null: its state is not stored. */
  readonly #key: Buffer | null;
  readonly #lineBytesMax: number;
  readonly #bytesTotal: number | null;
  /** Null: a stream. */
  readonly #file: FileHandle | null;
  readonly #splitter = new LineSplitter(lineBytesCap);
  /** As last written: another feed of the same input would change it under us. */
  #stored: FeedState | null;
  #state: FeedState;
  #began: FeedBegin;
  #longLines = 0;
  #sum = new FedSum(0);

  constructor(
    log: LmdbLog,
    topic: StoredTopic,
    key: Buffer | null,
    options: FeedOptions,
    bytesTotal: number | null,
    earlier: FeedState | null,
    file: FileHandle | null,
    fingerprint: FeedState['fingerprint'],
  ) {
    this.#log = log;
    this.#topic = topic;
    this.#key = key;
    this.#lineBytesMax = options.lineBytesMax ?? lineBytesMaxDefault;
    this.#bytesTotal = bytesTotal;
    this.#file = file;
    this.#stored = earlier;
    this.#state = { run: (earlier?.run ?? 0) + 1, complete: false, bytes: 0, records: 0, fingerprint, sum: null };
    this.#began = beginOf(earlier);
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  /**
   * Goes on with the earlier run instead of a new one. The fingerprint is that of now, which may have a longer head.
   * @param bytes where: a little of the input may be left out
   * @param sum of the input up to there
   */
  resume(bytes: number, sum: number): void {
    const state = this.#stored!;
    this.#state = { ...state, bytes, fingerprint: this.#state.fingerprint };
    this.#began = { code: 'RESUMED', bytes: state.bytes, records: state.records };
    this.#sum = new FedSum(sum);
  }

  push(chunk: Buffer): Line[] {
    this.#sum.push(chunk);
    return this.#splitter.push(chunk);
  }

  end(): Line[] {
    this.#sum.end();
    const line = this.#splitter.end();
    return line === null ? [] : [line];
  }

  /** Lines and position in one transaction. */
  async append(lines: readonly Line[], complete: boolean): Promise<FeedProgress> {
    const { run } = this.#state;
    const fingerprint = await this.#fingerprint();
    const byPartition: NewRecord[][] = Array.from({ length: this.#topic.partitions }, () => []);
    let { bytes, records } = this.#state;
    for (const line of lines) {
      byPartition[records % byPartition.length]!.push(recordOf(line, records === 0));
      if (line.value.length > this.#lineBytesMax) this.#longLines++;
      bytes += line.bytes;
      records++;
    }
    const next: FeedState = {
      run,
      complete,
      bytes,
      records,
      fingerprint,
      sum: fingerprint === null ? null : this.#sum.value,
    };
    const nowUnixMs = this.#log.clock.wallUnixMs();
    await this.#write(
      byPartition.map((list) => encodeBlocks(list, nowUnixMs)),
      next,
    );
    this.#stored = this.#state = next;
    return {
      run,
      bytes,
      records,
      complete,
      bytesTotal: this.#bytesTotal,
      longLines: this.#longLines,
      began: this.#began,
    };
  }

  /** The file may have been short, or empty, when its feed began. */
  async #fingerprint(): Promise<FeedState['fingerprint']> {
    const { fingerprint } = this.#state;
    return this.#file === null || fingerprint === null ? null : lengthened(this.#file, fingerprint);
  }

  async #write(blocksByPartition: readonly EncodedBlock[][], next: FeedState): Promise<void> {
    const { env, tables } = this.#log;
    const expected = this.#stored === null ? null : Buffer.from(encodeFeedState(this.#stored));
    const value = encodeFeedState(next);
    let outcome: 'ok' | 'conflict' | 'gone';
    try {
      outcome = await env.exclusive(() => {
        if (this.#key !== null) {
          const stored = tables.feeds.getBinary(this.#key);
          if (stored === undefined ? expected !== null : expected?.equals(stored) !== true) return 'conflict';
        }
        const heads = blocksByPartition.map((_, p) => tables.heads.getEntry(headKey(this.#topic.number, p)));
        if (heads.includes(undefined)) return 'gone';
        blocksByPartition.forEach((blocks, p) => {
          if (blocks.length > 0) this.#putBlocks(p, blocks, heads[p]!);
        });
        if (this.#key !== null) void tables.feeds.put(this.#key, value);
        return 'ok';
      });
    } catch (error) {
      throw logError(error);
    }
    if (outcome === 'ok') return;
    const reason =
      outcome === 'gone' ? `topic ${this.#topic.topic} was deleted` : 'another process feeds the same input';
    throw new EmbeddedError('FEED_CONFLICT', `the feed can't go on: ${reason}`);
  }

  #putBlocks(
    partition: number,
    blocks: readonly EncodedBlock[],
    head: { value: Uint8Array; version?: number | undefined },
  ): void {
    const { tables } = this.#log;
    const { number } = this.#topic;
    let next = asBuffer(head.value).readDoubleLE(0);
    for (const { bytes, count } of blocks) {
      void tables.blocks.put(blockKey(number, partition, next), bytes);
      next += count;
    }
    void tables.heads.put(headKey(number, partition), encodeHead(next), head.version! + 1);
  }
}

function beginOf(earlier: FeedState | null): FeedBegin {
  if (earlier === null) return { code: 'FRESH' };
  if (earlier.complete) return { code: 'AGAIN' };
  return { code: 'INTERRUPTED_BEFORE', bytes: earlier.bytes, records: earlier.records };
}

/** The first of all lines may begin with a byte-order mark, which is the file's, not the record's. */
function recordOf(line: Line, isFirst: boolean): NewRecord {
  const value =
    isFirst && startsWith(line.value, byteOrderMark) ? line.value.subarray(byteOrderMark.length) : line.value;
  const record = { key: null, value };
  return line.truncated ? { ...record, headers: { truncated: String(line.bytes) } } : record;
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, i) => bytes[i] === byte);
}
