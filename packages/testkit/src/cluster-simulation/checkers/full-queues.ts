import type { RecordLimits } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';

/** As much of an output buffer as its bounds are about. */
export interface OutputLevels {
  readonly unacked: number;
  readonly queuedBytes: number;
  readonly emitted: number;
}

/** As much of an ingest. */
export interface IngestLevels {
  readonly parkedCount: number;
  readonly parkedBytes: number;
  readonly outputs: OutputLevels;
}

/**
 * I21, at each change: nothing is parked or published where a limit is reached, of counts or of bytes. What comes back
 * from a holder is parked whatever the level, so that it is looked at what a call adds, not at the level.
 */
export class FullQueues {
  readonly #report: Report;
  readonly #limits: RecordLimits;
  /** How often each limit was met: one that never is was never tried. */
  readonly met = { parkedRecords: 0, parkedBytes: 0, outputsUnacked: 0, outputBytes: 0 };

  constructor(report: Report, limits: RecordLimits) {
    this.#report = report;
    this.#limits = limits;
  }

  /** An ingest routes records. @param recordBytes key and value of the largest of them */
  route<T>(ingest: IngestLevels, recordBytes: () => number, act: () => T): T {
    const { parkedRecordsMax, parkedBytesMax, outputsUnackedMax, outputBytesMax } = this.#limits;
    const { parkedCount: countBefore, parkedBytes: bytesBefore, outputs } = ingest;
    const { emitted } = outputs;
    const wasFull = this.#isFull(outputs);
    const result = act();
    const { parkedCount, parkedBytes } = ingest;
    if (parkedCount >= parkedRecordsMax) {
      this.met.parkedRecords++;
      if (parkedCount > Math.max(countBefore, parkedRecordsMax))
        this.#report(`I21: ${parkedCount} records are parked, the limit is ${parkedRecordsMax}`);
    }
    if (parkedBytes >= parkedBytesMax) {
      this.met.parkedBytes++;
      if (parkedBytes >= Math.max(bytesBefore + 1, parkedBytesMax + recordBytes()))
        this.#report(`I21: ${parkedBytes} bytes are parked, the limit is ${parkedBytesMax}`);
    }
    if (outputs.emitted === emitted) return result;
    if (wasFull) this.#report('I21: a letter of an ingest is published, whose outputs are full');
    if (outputs.unacked > outputsUnackedMax)
      this.#report(
        `I21: ${outputs.unacked} letters of an ingest are unacknowledged, the limit is ${outputsUnackedMax}`,
      );
    if (outputs.queuedBytes >= outputBytesMax + recordBytes())
      this.#report(`I21: ${outputs.queuedBytes} bytes of letters wait, the limit is ${outputBytesMax}`);
    return result;
  }

  /** A holder takes a frame: it handles all of it, or lets it wait while its outputs are full. */
  takeFrame<T>(outputs: OutputLevels, act: () => T): T {
    const wasFull = this.#isFull(outputs);
    const { emitted } = outputs;
    const result = act();
    if (wasFull && outputs.emitted !== emitted)
      this.#report(
        `I21: a frame is handled where ${outputs.unacked} outputs are unacknowledged, and ${outputs.queuedBytes} bytes wait`,
      );
    return result;
  }

  #isFull({ unacked, queuedBytes }: OutputLevels): boolean {
    const { outputsUnackedMax, outputBytesMax } = this.#limits;
    if (unacked >= outputsUnackedMax) this.met.outputsUnacked++;
    if (queuedBytes >= outputBytesMax) this.met.outputBytes++;
    return unacked >= outputsUnackedMax || queuedBytes >= outputBytesMax;
  }
}
