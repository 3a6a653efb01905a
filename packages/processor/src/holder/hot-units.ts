import { UnitMap } from '@holdfast/model';

/** A unit that gets many records. */
export interface HotUnitCount {
  readonly hi: number;
  readonly lo: number;
  readonly recordsPerSec: number;
  /** Its part of all records of the window, 0 to 1. */
  readonly share: number;
}

/** Units counted at once. A unit with more than this part of the records is found for sure. */
const counters = 64;
/** Every so manyth record is counted: hot units are so by far, and the others must cost nothing. */
const sampleEvery = 8;
/** Fewer samples, after what may not be the unit's own, are noise. */
const samplesMin = 8;
const windowMs = 5_000;

/**
 * The units with most records over a window, in bounded space. Source: Metwally, Agrawal, El Abbadi, "Efficient computation
 * of frequent and top-k elements in data streams" (space-saving).
 */
export class HotUnits {
  readonly #index = new UnitMap(counters * 2);
  readonly #his = new Uint32Array(counters);
  readonly #los = new Uint32Array(counters);
  readonly #counts = new Float64Array(counters);
  /** Part of the count that may have been another unit's, whose place this one took. */
  readonly #errors = new Float64Array(counters);
  #used = 0;
  #samples = 0;
  #skip = 0;
  #startedMs = Number.NaN;

  /** A record of the unit has come. */
  note(hi: number, lo: number): void {
    if (++this.#skip < sampleEvery) return;
    this.#skip = 0;
    this.#samples++;
    let at = this.#index.get(hi, lo);
    if (at < 0) at = this.#take(hi, lo);
    this.#counts[at]!++;
  }

  /** The hottest units of a window that has just ended, the hottest first; null while it goes on. */
  windowEnded(nowMs: number, max: number): HotUnitCount[] | null {
    if (Number.isNaN(this.#startedMs)) this.#startedMs = nowMs;
    const lastedMs = nowMs - this.#startedMs;
    if (lastedMs < windowMs) return null;
    const hot: HotUnitCount[] = [];
    for (let i = 0; i < this.#used; i++) {
      const sure = this.#counts[i]! - this.#errors[i]!;
      if (sure < samplesMin) continue;
      const recordsPerSec = (sure * sampleEvery * 1_000) / lastedMs;
      hot.push({ hi: this.#his[i]!, lo: this.#los[i]!, recordsPerSec, share: sure / this.#samples });
    }
    hot.sort((a, b) => b.recordsPerSec - a.recordsPerSec);
    this.#clear(nowMs);
    return hot.slice(0, max);
  }

  #take(hi: number, lo: number): number {
    let at = this.#used;
    if (at < counters) this.#used++;
    else {
      at = 0;
      for (let i = 1; i < counters; i++) if (this.#counts[i]! < this.#counts[at]!) at = i;
      this.#index.delete(this.#his[at]!, this.#los[at]!);
      this.#errors[at] = this.#counts[at]!;
    }
    this.#his[at] = hi;
    this.#los[at] = lo;
    this.#index.set(hi, lo, at);
    return at;
  }

  #clear(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#index.clear();
    this.#counts.fill(0);
    this.#errors.fill(0);
    this.#used = 0;
    this.#samples = 0;
  }
}
