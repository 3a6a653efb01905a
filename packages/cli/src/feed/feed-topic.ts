import { addAbortSignal, type Readable } from 'node:stream';
import { EmbeddedError, type FeedOptions, type FeedProgress, feedFile, feedStream, LmdbLog } from '@holdfast/embedded';
import type { Log, TopicInfo } from '@holdfast/engine';
import { failed } from '../cli-error.ts';

/** Lines for a topic that is fed from the command line, while nodes run on the same folder or before they do. */
export interface TopicFeed {
  readonly topic: string;
  /** Of a topic that this creates; null: as it has, else four. */
  readonly partitions: number | null;
  /** Null: `stdin`. */
  readonly path: string | null;
  /** A file that was fed to its end counts anew; else only what it has gained since. */
  readonly again: boolean;
  readonly stdin: Readable;
  /** Ends the feed at the next chunk, and the waiting for `stdin` at once. */
  readonly signal: AbortSignal;
}

export interface FedTopic {
  readonly topic: TopicInfo;
  /** Null: the signal came before anything was read. */
  readonly last: FeedProgress | null;
}

const partitionsDefault = 4;
/** One identity for a file, whatever job reads the topic. */
const mapping = 'topic feed';

/** @throws CliError NOT_EMBEDDED, PARTITIONS_DIFFER, FEED_LINE_GREW, FEED_OTHER_FILE; EmbeddedError FEED_CONFLICT; LogError */
export async function feedTopic(
  log: Log,
  feed: TopicFeed,
  onProgress: (progress: FeedProgress) => void,
): Promise<FedTopic> {
  if (!(log instanceof LmdbLog)) {
    throw failed('NOT_EMBEDDED', 'only the embedded log is fed by this command: Kafka has producers of its own');
  }
  const topic = await log.createTopic(feed.topic, feed.partitions ?? partitionsDefault);
  if (feed.partitions !== null && topic.partitions !== feed.partitions) {
    const text = `topic ${topic.topic} has ${topic.partitions} partitions; leave out --partitions ${feed.partitions}`;
    throw failed('PARTITIONS_DIFFER', text);
  }
  const options: FeedOptions = { topic: topic.topic, mapping, whenComplete: feed.again ? 'again' : 'goOn' };
  const { path, stdin, signal } = feed;
  const source =
    path === null ? feedStream(log, null, addAbortSignal(signal, stdin), options) : feedFile(log, path, options);
  let last: FeedProgress | null = null;
  try {
    for await (const progress of source) {
      last = progress;
      onProgress(progress);
      if (signal.aborted) break;
    }
  } catch (error) {
    if (error instanceof EmbeddedError && error.code === 'FEED_OTHER_FILE') {
      const text = `${error.message}; with --again the whole file is fed, as a new one, and with - what you give of it`;
      throw failed(error.code, text, error);
    }
    if (error instanceof EmbeddedError && error.code === 'FEED_LINE_GREW') {
      throw failed(error.code, `${error.message}; or with --again the whole file, which then counts anew`, error);
    }
    if (!signal.aborted || (error as Error).name !== 'AbortError') throw error;
  }
  return { topic, last };
}

/** What this run appended: a feed that goes on counts from the first line of its input. */
export function appended({ began, records }: FeedProgress): number {
  return began.code === 'RESUMED' || began.code === 'COMPLETE_BEFORE' ? records - began.records : records;
}
