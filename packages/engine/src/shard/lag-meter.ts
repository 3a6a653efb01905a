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
  /**
   * When the oldest record that isn't routed was appended, or sooner; Infinity: all are routed. Of a partition from which
   * nothing was routed yet: when it was first asked about.
   */
  readonly oldestUnixMs: number;
}

/** When a partition was first asked about, and when it was last without lag: what it lacks now was appended later. */
interface Seen {
  readonly firstUnixMs: number;
  readonly levelUnixMs: number;
}

/**
 * Asks a log for the ends of the partitions that are read. One question is under way at a time: a log that is away answers
 * none for as long as its adapter tries.
 */
export class LagMeter {
  readonly #log: Pick<Log, 'endOffsets'>;
  readonly #logger: Logger;
  #isAsking = false;
  #seen: ReadonlyMap<string, Seen> = new Map();

  constructor(log: Pick<Log, 'endOffsets'>, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  /** Null: it isn't known now, since the log doesn't answer, or an earlier question waits for it. */
  async measure(positions: Iterable<ReadPosition>, nowUnixMs: number): Promise<Lag | null> {
    if (this.#isAsking) return null;
    this.#isAsking = true;
    try {
      const ends = new Map<string, number[]>();
      const seen = new Map<string, Seen>();
      let records = 0;
      let oldestUnixMs = Number.POSITIVE_INFINITY;
      for (const { topic, partition, position, lastTimestampUnixMs } of [...positions]) {
        let ofTopic = ends.get(topic);
        if (ofTopic === undefined) ends.set(topic, (ofTopic = await this.#log.endOffsets(topic)));
        const lag = Math.max((ofTopic[partition] ?? 0) - position, 0);
        records += lag;
        const key = `${topic}/${partition}`;
        const before = this.#seen.get(key) ?? { firstUnixMs: nowUnixMs, levelUnixMs: Number.NEGATIVE_INFINITY };
        seen.set(key, lag === 0 ? { ...before, levelUnixMs: nowUnixMs } : before);
        if (lag === 0) continue;
        const routedUnixMs = Number.isNaN(lastTimestampUnixMs) ? before.firstUnixMs : lastTimestampUnixMs;
        oldestUnixMs = Math.min(oldestUnixMs, Math.max(before.levelUnixMs, routedUnixMs));
      }
      this.#seen = seen;
      return { records, oldestUnixMs };
    } catch (error) {
      this.#logger.debug('the ends of the topics are unknown', { err: error });
      return null;
    } finally {
      this.#isAsking = false;
    }
  }
}
