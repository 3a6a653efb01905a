import type { Framer } from './framer.ts';
import type { IngestStream } from './ingest-stream.ts';
import type { ParkedUnit } from './parking.ts';

const samplesMax = 4_096;

/** A unit whose records had come back and have left again. */
export interface UnitWait {
  readonly hi: number;
  readonly lo: number;
  readonly sinceMs: number;
}

/**
 * How long users' records waited for their next holder: from the first that a holder sent back until those that came back
 * are applied. Keeps the last few thousand waits.
 */
export class PauseMeter {
  readonly #samples = new Float64Array(samplesMax);
  #leaving = new Map<IngestStream, UnitWait[]>();
  count = 0;

  /** The unit's records leave again, on this stream. */
  leaves(unit: ParkedUnit, stream: IngestStream): void {
    if (unit.refusedAtMs === 0) return;
    const wait = { hi: unit.hi, lo: unit.lo, sinceMs: unit.refusedAtMs };
    const others = this.#leaving.get(stream);
    if (others === undefined) this.#leaving.set(stream, [wait]);
    else others.push(wait);
  }

  /** Users wait for what `leaves` was told of: its frames don't wait to be full. */
  sendOff(framer: Framer): void {
    if (this.#leaving.size === 0) return;
    for (const [stream, units] of this.#leaving) {
      for (const builder of stream.builders) if (builder !== undefined) framer.flush(builder);
      stream.waits.push({ frame: stream.sent, units });
    }
    this.#leaving = new Map();
  }

  /** A record of the unit has come back once more: since when it has waited, if it did. */
  refusedAgain(stream: IngestStream, hi: number, lo: number): number | null {
    for (const { units } of stream.waits) {
      const at = units.findIndex((unit) => unit.hi === hi && unit.lo === lo);
      if (at >= 0) return units.splice(at, 1)[0]!.sinceMs;
    }
    return null;
  }

  /** All frames of the stream up to this one are settled. */
  settle(stream: IngestStream, frame: number, nowMs: number): void {
    stream.settle(frame);
    while (stream.waits.length > 0 && stream.waits[0]!.frame <= stream.settled) {
      for (const { sinceMs } of stream.waits.shift()!.units) this.#samples[this.count++ % samplesMax] = nowMs - sinceMs;
    }
  }

  /** Milliseconds that this part of the waits didn't exceed; 0 before the first. */
  percentile(part: number): number {
    const known = this.#samples.slice(0, Math.min(this.count, samplesMax)).sort();
    return known.length === 0 ? 0 : known[Math.min(known.length - 1, Math.floor(known.length * part))]!;
  }
}
