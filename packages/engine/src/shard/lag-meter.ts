import type { Logger } from '@holdfast/model';
import type { Log } from '../ports/log.ts';

/** How far one partition is read. */
export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to route. */
  readonly position: number;
  /** Append time of the last record routed; NaN before the first. */
  readonly lastTimestampUnixMs: number;
}

export interface Lag {
  /** Records between the positions and the ends. */
  readonly records: number;
  /** Append time of the last record routed from the partition that is furthest behind in time; Infinity: none is behind. */
  readonly oldestUnixMs: number;
}

/**
 * Asks a log for the ends of the partitions that are read. One question is under way at a time: a log that is away answers
 * none for as long as its adapter tries.
 */
export class LagMeter {
  readonly #log: Pick<Log, 'endOffsets'>;
  readonly #logger: Logger;
  #isAsking = false;

  constructor(log: Pick<Log, 'endOffsets'>, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  /** Null: it isn't known now, since the log doesn't answer, or an earlier question waits for it. */
  async measure(positions: Iterable<ReadPosition>): Promise<Lag | null> {
    if (this.#isAsking) return null;
    this.#isAsking = true;
    try {
      const ends = new Map<string, number[]>();
      let records = 0;
      let oldestUnixMs = Number.POSITIVE_INFINITY;
      for (const { topic, partition, position, lastTimestampUnixMs } of [...positions]) {
        let ofTopic = ends.get(topic);
        if (ofTopic === undefined) ends.set(topic, (ofTopic = await this.#log.endOffsets(topic)));
        const lag = Math.max((ofTopic[partition] ?? 0) - position, 0);
        records += lag;
        if (lag > 0 && lastTimestampUnixMs < oldestUnixMs) oldestUnixMs = lastTimestampUnixMs;
      }
      return { records, oldestUnixMs };
    } catch (error) {
      this.#logger.debug('the ends of the topics are unknown', { err: error });
      return null;
    } finally {
      this.#isAsking = false;
    }
  }
}
