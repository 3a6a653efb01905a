import type { RecordLimits } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';
import type { EngineShard } from '../engine-shard.ts';

/** I21: what waits anywhere stays under its named limit, at every look. */
export class QueueBounds {
  readonly #report: Report;
  readonly #limits: RecordLimits;
  /** The most partitions that each shard has read at once. */
  readonly #partitions = new Map<number, number>();
  looks = 0;
  /** The fullest that was seen, as a part of the limit: else the limits were never tried. */
  parkedRatio = 0;
  framesRatio = 0;

  constructor(report: Report, limits: RecordLimits) {
    this.#report = report;
    this.#limits = limits;
  }

  look({ stats, settings: { serial } }: EngineShard): void {
    this.looks++;
    const { parkedRecordsMax, framesInFlightMax, frameRecordsMax } = this.#limits;
    const streams = Math.max(1, stats.get('streamsOpen'));
    const frames = stats.get('framesInFlight');
    this.framesRatio = Math.max(this.framesRatio, frames / (framesInFlightMax * streams));
    // What is being built when a stream is full leaves all the same: a frame per partition, also of those lost since.
    const partitions = Math.max(this.#partitions.get(serial) ?? 0, stats.get('partitionsRead'));
    this.#partitions.set(serial, partitions);
    const framesMax = streams * (framesInFlightMax + partitions + 1);
    if (frames > framesMax) this.#report(`I21: shard ${serial} has ${frames} frames in flight on ${streams} streams`);
    const parked = stats.get('parkedRecords');
    this.parkedRatio = Math.max(this.parkedRatio, parked / parkedRecordsMax);
    // Refused records come back whatever the level: as many as frames in flight can hold.
    const parkedMax = parkedRecordsMax + (framesMax + streams * framesInFlightMax) * frameRecordsMax;
    if (parked > parkedMax)
      this.#report(`I21: shard ${serial} has ${parked} records parked, limit ${parkedRecordsMax}`);
  }
}
