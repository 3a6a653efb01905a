import type { PartitionId } from '@holdfast/model';
import type { CrashNotes } from '../crash-notes.ts';
import type { Frame } from '../frame.ts';
import { offsetSpan } from '../record-block.ts';

/**
 * Decides how finely is noted what is about to be applied (PROTOCOL.md 6.2): a frame at a time, for one small write per
 * frame; record by record where a process has ended in a frame with these records, and for records that waited for their
 * unit, which are few. Nothing is noted for frames of which the job sees nothing.
 */
export class NoteTaker {
  readonly #notes: CrashNotes;
  #frame: Frame | null = null;
  #isEachNoted = false;
  #isNoted = false;

  constructor(notes: CrashNotes) {
    this.#notes = notes;
  }

  /** The records that follow are of this frame, until `end`. Those that follow none are noted one by one. */
  begin(frame: Frame): void {
    this.#frame = frame;
  }

  /** The job is called for this record next. */
  before(hi: number, lo: number, partition: PartitionId, offset: number): void {
    if (!this.#isNoted) {
      this.#isNoted = true;
      this.#isEachNoted = this.#frame === null || !this.#noteFrame(this.#frame);
    }
    if (this.#isEachNoted) this.#notes.record(hi, lo, partition, offset);
  }

  end(): void {
    if (this.#isNoted) this.#notes.clear();
    this.#frame = null;
    this.#isNoted = false;
  }

  /** False when it is suspect. */
  #noteFrame({ partition, block, baseOffset }: Frame): boolean {
    const { first, last } = offsetSpan(block, baseOffset);
    if (this.#notes.isSuspect(partition, first, last)) return false;
    this.#notes.frame(partition, first, last);
    return true;
  }
}
