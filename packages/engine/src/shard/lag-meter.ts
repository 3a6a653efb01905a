import type { Clock, Logger } from '@holdfast/model';
import type { Log } from '../ports/log.ts';

/** How far one leased partition is read, now. */
export interface ReadPosition {
  readonly lease: { readonly topic: string; readonly partition: number };
  /** The next offset to route; null: where reading begins isn't known. */
  readonly reading: { readonly position: number } | null;
  /** Append time of the last record routed; NaN before the first. */
  readonly lastTimestampUnixMs: number;
}

/** By lease: a partition that comes back under another one is measured anew. */
export type ReadPositions = ReadonlyMap<string, ReadPosition>;

export interface Lag {
  /** Partitions whose lag is known; records and wait are those of these. */
  readonly partitions: number;
  /** Records between the positions and the ends. */
  readonly records: number;
  /**
   * How long the oldest record that isn't routed has waited, at most; 0: all are routed. Of a partition from which
   * nothing was routed yet: since it was first asked about.
   */
  readonly waitMs: number;
  /** How long ago the longest known of them was measured. */
  readonly ageMs: number;
}

/** What a question found, and the times before it. */
interface Seen {
  /** When the partition was first asked about, and when it was last without lag: what it lacks now was appended later. */
  readonly firstMs: number;
  readonly levelMs: number;
  /** As last known; null: never yet. */
  readonly measured: { readonly atMs: number; readonly position: number; readonly end: number } | null;
}

/**
 * Asks a log for the ends of the partitions that are read. One question is under way at a time: a log that is away answers
 * none for as long as its adapter tries. Where the end of one partition isn't to be had (it has no leader, say), it stays
 * as it was last known, and the others are measured.
 */
export class LagMeter {
  readonly #log: Pick<Log, 'offsetsAt'>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #isAsking = false;
  #seen: ReadonlyMap<string, Seen> = new Map();

  constructor(log: Pick<Log, 'offsetsAt'>, logger: Logger, clock: Clock) {
    this.#log = log;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** How much was left to read when each partition was measured last, and what was gone back since. */
  lag(positions: ReadPositions): Lag {
    const nowMs = this.#clock.monotonicMs();
    let partitions = 0;
    let records = 0;
    let waitMs = 0;
    let ageMs = 0;
    for (const [key, { reading, lastTimestampUnixMs }] of positions) {
      const seen = this.#seen.get(key);
      if (seen === undefined || seen.measured === null || reading === null) continue;
      const { atMs, position, end } = seen.measured;
      partitions++;
      // By the position of that time: less is left by now of what was there, but more has come.
      const lacking = Math.max(end - Math.min(position, reading.position), 0);
      records += lacking;
      if (lacking > 0) waitMs = Math.max(waitMs, this.#waitMsOf(seen, lastTimestampUnixMs, nowMs));
      ageMs = Math.max(ageMs, nowMs - atMs);
    }
    return { partitions, records, waitMs, ageMs };
  }

  /** Asks for the ends, unless an earlier question waits for them. */
  async look(positions: ReadPositions): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const nowMs = this.#clock.monotonicMs();
    const asked = [...positions].map(([key, { lease, reading }]) => ({
      key,
      ...lease,
      position: reading?.position ?? null,
    }));
    try {
      const ends = await this.#endsOf(asked);
      const seen = new Map<string, Seen>();
      for (const { key, position } of asked) {
        const before = this.#seen.get(key);
        const end = ends.get(key);
        const measured = end === undefined || position === null ? null : { atMs: nowMs, position, end };
        const isLevel = measured !== null && measured.position >= measured.end;
        seen.set(key, {
          firstMs: before?.firstMs ?? nowMs,
          levelMs: isLevel ? nowMs : (before?.levelMs ?? Number.NEGATIVE_INFINITY),
          measured: measured ?? before?.measured ?? null,
        });
      }
      this.#seen = seen;
    } finally {
      this.#isAsking = false;
    }
  }

  #waitMsOf({ firstMs, levelMs }: Seen, lastTimestampUnixMs: number, nowMs: number): number {
    const sinceRoutedMs = Number.isNaN(lastTimestampUnixMs)
      ? nowMs - firstMs
      : this.#clock.wallUnixMs() - lastTimestampUnixMs;
    return Math.min(sinceRoutedMs, nowMs - levelMs);
  }

  /** Those that the log tells, each topic's in one question; and each partition's where it doesn't tell them all. */
  async #endsOf(asked: readonly { key: string; topic: string; partition: number }[]): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    const ask = async (topic: string, some: typeof asked): Promise<boolean> => {
      const partitions = some.map(({ partition }) => partition);
      try {
        const offsets = await this.#log.offsetsAt(topic, 'latest', partitions);
        for (const [i, { key }] of some.entries()) ends.set(key, offsets[i]!);
        return true;
      } catch (error) {
        this.#logger.debug('the ends of the topics are unknown', { topic, partitions: partitions.length, err: error });
        return false;
      }
    };
    for (const topic of new Set(asked.map((each) => each.topic))) {
      const some = asked.filter((each) => each.topic === topic);
      if ((await ask(topic, some)) || some.length === 1) continue;
      await Promise.all(some.map((one) => ask(topic, [one])));
    }
    return ends;
  }
}
