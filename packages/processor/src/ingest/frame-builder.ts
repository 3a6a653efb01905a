import { RecordBlockWriter } from '../record-block.ts';
import type { IngestStream } from './ingest-stream.ts';
import type { PartitionReading } from './partition-reading.ts';
import { UnitFilter } from './unit-filter.ts';

/** Records of one partition on their way into a frame for one holder. */
export class FrameBuilder {
  readonly stream: IngestStream;
  readonly partition: PartitionReading;
  readonly block = new RecordBlockWriter(16 * 1024);
  /** Table index read before the first record was looked up. */
  tableIndex = 0;
  startedMs = 0;
  firstOffset = 0;
  #units = new Uint32Array(64);
  #filter = new UnitFilter();

  constructor(stream: IngestStream, partition: PartitionReading) {
    this.stream = stream;
    this.partition = partition;
  }

  get count(): number {
    return this.block.count;
  }

  noteUnit(hi: number, lo: number, offset: number): void {
    const at = this.block.count * 2;
    if (at === 0) this.firstOffset = offset;
    else if (offset < this.firstOffset) this.firstOffset = offset;
    if (at === this.#units.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#units);
      this.#units = grown;
    }
    this.#units[at] = hi;
    this.#units[at + 1] = lo;
    this.#filter.note(lo);
  }

  hasUnit(hi: number, lo: number): boolean {
    return this.#filter.mayHave(lo) && hasUnit(this.#units, this.block.count, hi, lo);
  }

  /** The units of the frame that is sent off, and their filter: the next frame begins with none. */
  takeUnits(): { readonly units: Uint32Array; readonly filter: UnitFilter } {
    const filter = this.#filter;
    this.#filter = new UnitFilter();
    return { units: this.#units.slice(0, this.block.count * 2), filter };
  }
}

/** Whether a list of (hi, lo) pairs names the unit. */
export function hasUnit(units: Uint32Array, count: number, hi: number, lo: number): boolean {
  for (let i = 0; i < count * 2; i += 2) if (units[i] === hi && units[i + 1] === lo) return true;
  return false;
}
