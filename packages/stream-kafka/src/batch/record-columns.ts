import type { RecordBatch } from '@holdfast/processor';
import { appendTimeOf } from './append-time.ts';
import { recordBytesMin } from './batch-header.ts';
import type { Section } from './fetched-batches.ts';
import { readHeaders } from './record-headers.ts';

/** Bytes per row of all columns together. */
const rowBytes = 40;
/** By which a varint's tenth byte counts: no number has more. */
const varintScaleMax = 2 ** 63;

/**
 * Walks records and notes where their keys and values lie: the engine's batch, with nothing allocated per record and
 * nothing copied.
 */
export class RecordColumns {
  readonly #bytesMax: number;
  readonly #nowUnixMs: number;
  readonly #capacity: number;
  readonly #bytes: Buffer;
  readonly #offsets: Float64Array;
  readonly #times: Float64Array;
  readonly #keyStarts: Int32Array;
  readonly #keyEnds: Int32Array;
  readonly #valueStarts: Int32Array;
  readonly #valueEnds: Int32Array;
  /** Where the number of headers is. */
  readonly #headerStarts: Int32Array;
  /** The record's end. */
  readonly #headerEnds: Int32Array;
  #taken = 0;
  count = 0;
  /** One past the last record taken. */
  nextOffset = 0;
  /** Where the walk stands. */
  #at = 0;

  /**
   * @param sections all with one buffer, or without records
   * @param nowUnixMs by this machine's clock, when they had been read
   */
  constructor(sections: readonly Section[], bytesMax: number, nowUnixMs: number) {
    this.#bytesMax = bytesMax;
    this.#nowUnixMs = nowUnixMs;
    let records = 0;
    for (const { recordsLeft } of sections) records += recordsLeft;
    const capacity = (this.#capacity = Math.min(records, Math.floor(bytesMax / recordBytesMin) + 1));
    this.#bytes = sections.find(({ recordsLeft }) => recordsLeft > 0)?.bytes ?? Buffer.alloc(0);
    // One allocation for all columns: the 8-byte ones first, so that each is aligned.
    const columns = new ArrayBuffer(capacity * rowBytes);
    this.#offsets = new Float64Array(columns, 0, capacity);
    this.#times = new Float64Array(columns, capacity * 8, capacity);
    this.#keyStarts = new Int32Array(columns, capacity * 16, capacity);
    this.#keyEnds = new Int32Array(columns, capacity * 20, capacity);
    this.#valueStarts = new Int32Array(columns, capacity * 24, capacity);
    this.#valueEnds = new Int32Array(columns, capacity * 28, capacity);
    this.#headerStarts = new Int32Array(columns, capacity * 32, capacity);
    this.#headerEnds = new Int32Array(columns, capacity * 36, capacity);
  }

  /** Takes the section's records from `fromOffset` on while there is room, at least one per batch. */
  take(section: Section, fromOffset: number): 'whole' | 'full' | 'broken' {
    const { end, baseOffset, baseTimeUnixMs, appendTimeUnixMs } = section;
    const ownTimes = Number.isNaN(appendTimeUnixMs);
    let row = this.count;
    for (; section.recordsLeft > 0; section.recordsLeft--) {
      this.#at = section.at;
      const length = this.#varint();
      const start = this.#at;
      const next = start + length;
      // Each comparison is false for what is no number.
      if (!(length >= recordBytesMin - 1 && next <= end)) return 'broken';
      const size = next - section.at;
      if (row >= this.#capacity || (row > 0 && this.#taken + size > this.#bytesMax)) break;
      this.#at = start + 1;
      const timeDelta = this.#varint();
      const offset = baseOffset + this.#varint();
      if (Number.isNaN(timeDelta + offset)) return 'broken';
      if (offset < fromOffset) {
        section.at = next;
        continue;
      }
      this.#offsets[row] = offset;
      const timeUnixMs = ownTimes ? baseTimeUnixMs + timeDelta : appendTimeUnixMs;
      this.#times[row] = appendTimeOf(timeUnixMs, !ownTimes, this.#nowUnixMs);
      const keyLength = this.#varint();
      const keyStart = this.#at;
      const keyEnd = keyLength < 0 ? keyStart : keyStart + keyLength;
      this.#keyStarts[row] = keyLength < 0 ? -1 : keyStart;
      this.#keyEnds[row] = keyLength < 0 ? -1 : keyEnd;
      if (!(keyEnd < next)) return 'broken';
      this.#at = keyEnd;
      const valueLength = this.#varint();
      const valueStart = this.#at;
      const valueEnd = valueLength < 0 ? valueStart : valueStart + valueLength;
      this.#valueStarts[row] = valueLength < 0 ? -1 : valueStart;
      this.#valueEnds[row] = valueLength < 0 ? -1 : valueEnd;
      this.#headerStarts[row] = valueEnd;
      this.#headerEnds[row] = next;
      // Behind the value there is the number of headers at least.
      if (!(valueEnd < next)) return 'broken';
      section.at = next;
      this.#taken += size;
      this.nextOffset = offset + 1;
      this.count = ++row;
    }
    return section.recordsLeft > 0 ? 'full' : 'whole';
  }

  finish(nextOffset: number): RecordBatch {
    const [bytes, starts, ends] = [this.#bytes, this.#headerStarts, this.#headerEnds];
    return {
      count: this.count,
      bytes: this.#bytes,
      offsets: this.#offsets,
      timestampsUnixMs: this.#times,
      keyStarts: this.#keyStarts,
      keyEnds: this.#keyEnds,
      valueStarts: this.#valueStarts,
      valueEnds: this.#valueEnds,
      nextOffset,
      headersOf: (row) => readHeaders(bytes, starts[row]!, ends[row]!),
    };
  }

  /** Zigzag; a number, so exact to 2^53, and NaN if it is longer than any. The walk's own speed: most varints have one or two bytes. */
  #varint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let byte = bytes[at++]!;
    let value = byte & 0x7f;
    if (byte >= 0x80) {
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << 7;
      if (byte >= 0x80) {
        let scale = 1 << 14;
        do {
          if (scale > varintScaleMax) return Number.NaN;
          byte = bytes[at++] ?? 0;
          value += (byte & 0x7f) * scale;
          scale *= 0x80;
        } while (byte >= 0x80);
      }
    }
    this.#at = at;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** A batch without records, which only says where reading stands. */
export function emptyBatch(nextOffset: number): RecordBatch {
  return new RecordColumns([], 0, 0).finish(nextOffset);
}
