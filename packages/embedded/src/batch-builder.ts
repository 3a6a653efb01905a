import type { RecordBatch } from '@holdfast/processor';
import type { LogBlock } from './log-block.ts';

/** Records `from` to `to` (exclusive) of a block, whose data is bytes[start, end). */
interface Piece {
  readonly block: LogBlock;
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

/** Gathers runs of records of one or several blocks into one batch: a single run stays where it was read, several are copied together. */
export class BatchBuilder {
  readonly #pieces: Piece[] = [];
  #count = 0;
  #bytes = 0;
  #nextOffset = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Takes records from the block's cursor on, as long as they fit; at least one if the batch is empty. */
  take(block: LogBlock, bytesMax: number): void {
    const from = block.recordAt;
    const start = block.dataAt;
    let room = bytesMax - this.#bytes;
    while (block.recordAt < block.count) {
      const size = block.recordBytes(block.recordAt);
      if (size > room && (this.#count > 0 || block.recordAt > from)) break;
      room -= size;
      block.recordAt++;
      block.dataAt += size;
    }
    if (block.recordAt === from) return;
    this.#pieces.push({ block, from, to: block.recordAt, start, end: block.dataAt });
    this.#count += block.recordAt - from;
    this.#bytes += block.dataAt - start;
    this.#nextOffset = block.baseOffset + block.recordAt;
  }

  finish(): RecordBatch {
    const count = this.#count;
    // One allocation for all columns: the 8-byte ones first, so that each is aligned.
    const columns = new ArrayBuffer(count * 32);
    const batch = {
      count,
      bytes: this.#gather(),
      offsets: new Float64Array(columns, 0, count),
      timestampsUnixMs: new Float64Array(columns, count * 8, count),
      keyStarts: new Int32Array(columns, count * 16, count),
      keyEnds: new Int32Array(columns, count * 20, count),
      valueStarts: new Int32Array(columns, count * 24, count),
      valueEnds: new Int32Array(columns, count * 28, count),
      nextOffset: this.#nextOffset,
      headersOf: (row: number) => headersOf(this.#pieces, row),
    };
    const single = this.#pieces.length === 1;
    let row = 0;
    let at = 0;
    for (const { block, from, to, start } of this.#pieces) {
      if (single) at = start;
      for (let i = from; i < to; i++, row++) {
        batch.offsets[row] = block.baseOffset + i;
        batch.timestampsUnixMs[row] = block.appendedUnixMs;
        const keyLength = block.keyLength(i);
        batch.keyStarts[row] = keyLength < 0 ? -1 : at;
        if (keyLength > 0) at += keyLength;
        batch.keyEnds[row] = keyLength < 0 ? -1 : at;
        const valueLength = block.valueLength(i);
        batch.valueStarts[row] = valueLength < 0 ? -1 : at;
        if (valueLength > 0) at += valueLength;
        batch.valueEnds[row] = valueLength < 0 ? -1 : at;
        const headerLength = block.headerLength(i);
        if (headerLength > 0) at += headerLength;
      }
    }
    return batch;
  }

  #gather(): Uint8Array {
    if (this.#pieces.length === 1) return this.#pieces[0]!.block.bytes;
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const { block, start, end } of this.#pieces) {
      all.set(block.bytes.subarray(start, end), at);
      at += end - start;
    }
    return all;
  }
}

/** Headers lie behind the value. Rarely asked for: walks the run that holds the row. */
function headersOf(pieces: readonly Piece[], row: number): Readonly<Record<string, string>> {
  let left = row;
  for (const { block, from, to, start } of pieces) {
    if (left >= to - from) {
      left -= to - from;
      continue;
    }
    let end = start;
    for (let i = from; i <= from + left; i++) end += block.recordBytes(i);
    const length = block.headerLength(from + left);
    if (length < 0) return {};
    return JSON.parse(block.bytes.toString('utf8', end - length, end)) as Record<string, string>;
  }
  return {};
}
