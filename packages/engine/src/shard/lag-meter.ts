import type { Clock, Logger } from '@holdfast/model';
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
   * How long the oldest record that isn't routed has waited, at most; 0: all are routed. Of a partition from which
   * nothing was routed yet: since it was first asked about.
   */
  readonly waitMs: number;
}

/** When a partition was first asked about, and when it was last without lag: what it lacks now was appended later. */
interface Seen {
  readonly firstMs: number;
  readonly levelMs: number;
}

/**
 * Asks a log for the ends of the partitions that are read. One question is under way at a time: a log that is away answers
 * none for as long as its adapter tries.
 */
export class LagMeter {
  readonly #log: Pick<Log, 'endOffsets'>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #isAsking = false;
  #seen: ReadonlyMap<string, Seen> = new Map();

  constructor(log: Pick<Log, 'endOffsets'>, logger: Logger, clock: Clock) {
    this.#log = log;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Null: it isn't known now, since the log doesn't answer, or an earlier question waits for it. */
  async measure(positions: Iterable<ReadPosition>): Promise<Lag | null> {
    if (this.#isAsking) return null;
    this.#isAsking = true;
    const nowMs = this.#clock.monotonicMs();
    try {
      const ends = new Map<string, number[]>();
      const seen = new Map<string, Seen>();
      let records = 0;
      let waitMs = 0;
      for (const { topic, partition, position, lastTimestampUnixMs } of [...positions]) {
        let ofTopic = ends.get(topic);
        if (ofTopic === undefined) ends.set(topic, (ofTopic = await this.#log.endOffsets(topic)));
        const lag = Math.max((ofTopic[partition] ?? 0) - position, 0);
        records += lag;
        const key = `${topic}/${partition}`;
        const before = this.#seen.get(key) ?? { firstMs: nowMs, levelMs: Number.NEGATIVE_INFINITY };
        seen.set(key, lag === 0 ? { ...before, levelMs: nowMs } : before);
        if (lag === 0) continue;
        const sinceRoutedMs = Number.isNaN(lastTimestampUnixMs)
          ? nowMs - before.firstMs
          : this.#clock.wallUnixMs() - lastTimestampUnixMs;
        waitMs = Math.max(waitMs, Math.min(sinceRoutedMs, nowMs - before.levelMs));
      }
      this.#seen = seen;
      return { records, waitMs };
    } catch (error) {
      this.#logger.debug('the ends of the topics are unknown', { err: error });
      return null;
    } finally {
      this.#isAsking = false;
    }
  }
}
