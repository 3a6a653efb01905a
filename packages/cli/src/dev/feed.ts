import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { LogGenerator, lineBytesMax } from '@holdfast/access-anomaly';
import { type FeedProgress, feedFile, feedStream, type LmdbLog } from '@holdfast/embedded';
import type { NewRecord, TopicInfo } from '@holdfast/engine';
import type { FeedPlan, GeneratePlan } from './dev-options.ts';

/** How far the feed of this run is. */
export interface FeedState {
  /** Appended by this run. */
  readonly records: number;
  /** 0..1 of the input; null where its end isn't known. */
  readonly ratio: number | null;
  readonly done: boolean;
  /** Anomalies that the generator planted; null for real input. */
  readonly planted: number | null;
  /** Worth telling: that it resumes, or can't. */
  readonly note: string | null;
}

export const nothingFed: FeedState = { records: 0, ratio: null, done: false, planted: null, note: null };

export interface FeedOptions {
  readonly plan: FeedPlan;
  readonly mapping: string;
  /** The run before was of the same input and did not end: what it has fed to the end is not fed again. */
  readonly goesOn: boolean;
  /** How often the input had been fed to its end when that run began. */
  readonly completeBefore: number;
  readonly stdin: Readable;
  /** Ends the waiting for standard input, which may never say anything: the feed throws an AbortError. */
  readonly signal: AbortSignal;
}

/** What the same command does after one that was interrupted, on the same folder: only of a file it is known what was fed. */
export function onceMoreText({ kind }: FeedPlan): string {
  if (kind === 'file') return 'run the same command again to go on';
  return 'what was fed stays, and the same command feeds all of it again, and counts it again';
}

/** Appends the input to the topic, bit by bit; ended by `return()`, at the next bit. */
export async function* feed(log: LmdbLog, topic: TopicInfo, options: FeedOptions): AsyncGenerator<FeedState> {
  const { plan, mapping, goesOn, completeBefore, stdin, signal } = options;
  const input = { topic: topic.topic, mapping, whenComplete: goesOn ? 'skip' : 'again', completeBefore } as const;
  if (plan.kind === 'none') yield { ...nothingFed, done: true };
  else if (plan.kind === 'file') yield* states(feedFile(log, plan.path, input));
  else if (plan.kind === 'stdin') yield* states(feedStream(log, '-', addAbortSignal(signal, stdin), input));
  else yield* generate(log, topic, plan);
}

async function* states(source: AsyncGenerator<FeedProgress>): AsyncGenerator<FeedState> {
  let told = false;
  for await (const { began, records, bytes, bytesTotal, complete } of source) {
    const before = began.code === 'RESUMED' || began.code === 'COMPLETE_BEFORE' ? began.records : 0;
    const ratio = bytesTotal === null ? null : bytesTotal === 0 ? 1 : bytes / bytesTotal;
    yield { records: records - before, ratio, done: complete, planted: null, note: told ? null : noteOf(began) };
    told = true;
  }
}

function noteOf(began: FeedProgress['began']): string | null {
  switch (began.code) {
    case 'FRESH':
      return null;
    case 'AGAIN':
      return 'this input was fed before, to its end: it counts anew';
    case 'COMPLETE_BEFORE':
      return `all ${began.records} records were fed by the run before; going on with what it left undone`;
    case 'RESUMED':
      return `going on after ${began.records} records, where the feed was interrupted`;
    default:
      return `an earlier feed of this input was interrupted after ${began.records} records and can't be resumed: they stay, and all of this one counts`;
  }
}

/** Times of a log with an end begin here: all of them are past, so that none is ahead of its arrival. */
const startUnixMs = Date.UTC(2025, 0, 1);
const batchRecords = 4_000;
const tickMs = 50;
/** One in so many records, in a log with an end; in one without, per 100,000. */
const plantOneIn = 2_000;
const plantPer100k = 50;

async function* generate(log: LmdbLog, topic: TopicInfo, plan: GeneratePlan): AsyncGenerator<FeedState> {
  const { records, rate, seed, users } = plan;
  const generator = new LogGenerator({
    seed,
    users,
    ...(records === null ? { startUnixMs: Date.now() } : { records, startUnixMs }),
    ...(rate !== null && records === null ? { stepMs: 1_000 / rate } : {}),
    anomalies: records === null ? plantPer100k : Math.ceil(records / plantOneIn),
  });
  const startedMs = performance.now();
  const line = new Uint8Array(lineBytesMax);
  for (let fed = 0, done = false; !done; ) {
    const due = rate === null ? batchRecords : Math.floor(((performance.now() - startedMs) / 1000) * rate) - fed;
    const lists: NewRecord[][] = Array.from({ length: topic.partitions }, () => []);
    let count = 0;
    while (count < Math.min(due, batchRecords)) {
      const end = generator.writeNext(line, 0);
      if (end < 0) {
        done = true;
        break;
      }
      // By turns, not by user: finding a record's user is the cluster's work.
      lists[(fed + count) % lists.length]!.push({ key: null, value: line.slice(0, end) });
      count++;
    }
    await Promise.all(
      lists.map((list, partition) => (list.length === 0 ? 0 : log.append(topic.topic, partition, list))),
    );
    fed += count;
    done ||= fed === records;
    const ratio = records === null ? null : fed / records;
    yield { records: fed, ratio, done, planted: generator.labels.length, note: null };
    if (rate !== null && !done) await delay(tickMs);
  }
}
