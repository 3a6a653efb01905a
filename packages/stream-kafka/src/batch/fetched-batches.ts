import type { RecordBatch } from '@holdfast/processor';
import type { AbortedTransaction, FetchAnswer } from '../apis/fetch.ts';
import { checksum } from '../codec/checksum.ts';
import { decompress } from '../codec/codecs.ts';
import { KafkaError } from '../errors.ts';
import { attributeBits, batchHeader, recordBytesMin } from './batch-header.ts';
import { emptyBatch, RecordColumns } from './record-columns.ts';

/** Small compressed batches are put together to about this; larger ones aren't worth the copy. */
const joinedBytes = 64 * 1024;

/** One record batch's records, of which some may be taken already. */
export interface Section {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  recordsLeft: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly baseTimeUnixMs: number;
  /** The broker's time, which all records of the batch have; NaN: each has its own. */
  readonly appendTimeUnixMs: number;
}

export interface DecodeLimits {
  readonly decompressedBytesMax: number;
}

/**
 * What one fetch brought, given out as engine batches. Uncompressed records are never copied: a batch's `bytes` are the
 * answer itself. Whatever is compressed is decompressed only once its turn comes, and about `bytesMax` at a time.
 * Control batches and those of aborted transactions move `nextOffset` on, and leave no record.
 */
export class FetchedBatches {
  readonly #answer: FetchAnswer;
  readonly #where: string;
  readonly #limits: DecodeLimits;
  readonly #nowUnixMs: number;
  /** By first offset; of those before `#abortedSeen` the producer is in `#aborting` until its marker comes. */
  readonly #aborted: readonly AbortedTransaction[];
  #abortedSeen = 0;
  readonly #aborting = new Set<number>();
  /** All of one `bytes`. */
  #sections: Section[] = [];
  #at: number;
  /** The position up to which checksums match: a batch may be looked at more than once before its turn comes. */
  #checkedTo = 0;
  /** Of the batch before the position; -1: there is none. */
  #baseBefore = -1;
  #lastBefore = -1;
  /** The offset that the next record given out has at least. */
  nextOffset: number;

  /**
   * @param where names topic and partition in errors
   * @param nowUnixMs by this machine's clock, when the answer had come
   */
  constructor(answer: FetchAnswer, fromOffset: number, where: string, limits: DecodeLimits, nowUnixMs: number) {
    this.#answer = answer;
    this.#at = answer.start;
    this.#where = where;
    this.#limits = limits;
    this.#nowUnixMs = nowUnixMs;
    this.#aborted = [...answer.aborted].sort((a, b) => a.firstOffset - b.firstOffset);
    this.nextOffset = fromOffset;
  }

  /**
   * Records of about `bytesMax` bytes, at least one; null when there are no more. When all that was left was passed
   * over, a batch without records says how far.
   * @throws KafkaError CORRUPT, with the position; again on each call
   */
  next(bytesMax: number): RecordBatch | null {
    const from = this.nextOffset;
    while (this.#sections.length > 0 || this.#fill(bytesMax)) {
      const columns = new RecordColumns(this.#sections, bytesMax, this.#nowUnixMs);
      let done = 0;
      for (const section of this.#sections) {
        const taken = columns.take(section, this.nextOffset);
        // What lies before a broken record is given out first.
        if (taken === 'broken' && columns.count === 0) {
          throw this.#corrupt(section.baseOffset, 'a record reaches beyond its batch');
        }
        this.nextOffset = Math.max(this.nextOffset, taken === 'whole' ? section.lastOffset + 1 : columns.nextOffset);
        if (taken !== 'whole') break;
        done++;
      }
      this.#sections.splice(0, done);
      if (columns.count > 0) return columns.finish(this.nextOffset);
    }
    return this.nextOffset > from ? emptyBatch(this.nextOffset) : null;
  }

  /** Whether nothing is left to give out. */
  get isOver(): boolean {
    return this.#sections.length === 0 && this.#wholeEnd() === null;
  }

  /** Opens further record batches until they hold `bytesMax`, those with records all in one buffer. False: none left. */
  #fill(bytesMax: number): boolean {
    const sections: Section[] = [];
    const unpacked: Buffer[] = [];
    const isMixed = (codec: number) =>
      sections.some(({ recordsLeft }) => recordsLeft > 0) && codec > 0 !== unpacked.length > 0;
    let held = 0;
    try {
      while (held < bytesMax) {
        const end = this.#batchEnd();
        if (end === null) break;
        this.#checkSum(end);
        this.#checkOrder();
        const codec = this.#answer.bytes.readInt16BE(this.#at + batchHeader.attributesAt) & attributeBits.compression;
        if (this.#isPassedOver()) sections.push({ ...this.#section(end), recordsLeft: 0 });
        else if (isMixed(codec) || (codec > 0 && held >= joinedBytes)) break;
        else {
          const section = this.#opened(codec, end);
          if (codec > 0) unpacked.push(section.bytes);
          sections.push(section);
          held += section.end - section.at;
        }
        this.#baseBefore = int64(this.#answer.bytes, this.#at);
        this.#lastBefore = this.#lastOffset();
        this.#at = end;
      }
    } catch (error) {
      // What lies before the damage is given out before the damage is reported.
      if (sections.length === 0) throw error;
    }
    this.#sections = unpacked.length > 1 ? joined(sections, unpacked) : sections;
    return sections.length > 0;
  }

  /** Where the batch at the position ends by its own word; null when it is cut, as a fetch's last one may be. */
  #wholeEnd(): number | null {
    const { bytes, end } = this.#answer;
    const start = this.#at;
    if (start + batchHeader.bytes > end) return null;
    const batchEnd = start + batchHeader.lengthOverhead + bytes.readInt32BE(start + batchHeader.lengthAt);
    return batchEnd > end ? null : batchEnd;
  }

  /** As `#wholeEnd`, for a batch whose form is known. */
  #batchEnd(): number | null {
    const batchEnd = this.#wholeEnd();
    if (batchEnd === null) return null;
    const { bytes } = this.#answer;
    const magic = bytes[this.#at + batchHeader.magicAt]!;
    const offset = int64(bytes, this.#at);
    if (magic !== 2) throw this.#corrupt(offset, `its format is ${magic}, older than Kafka 0.11`);
    if (batchEnd < this.#at + batchHeader.bytes) throw this.#corrupt(offset, 'its length is wrong');
    return batchEnd;
  }

  /** Whether the batch at the position leaves no record: a control batch, or one of an aborted transaction. */
  #isPassedOver(): boolean {
    const { bytes } = this.#answer;
    const start = this.#at;
    const last = this.#lastOffset();
    while ((this.#aborted[this.#abortedSeen]?.firstOffset ?? Number.POSITIVE_INFINITY) <= last) {
      this.#aborting.add(this.#aborted[this.#abortedSeen++]!.producerId);
    }
    const attributes = bytes.readInt16BE(start + batchHeader.attributesAt);
    const producerId = int64(bytes, start + batchHeader.producerIdAt);
    if (attributes & attributeBits.control) {
      // A transaction's end: what the producer writes after it belongs to another one.
      this.#aborting.delete(producerId);
      return true;
    }
    return (attributes & attributeBits.transactional) !== 0 && this.#aborting.has(producerId);
  }

  #lastOffset(): number {
    const { bytes } = this.#answer;
    return int64(bytes, this.#at) + bytes.readInt32BE(this.#at + batchHeader.lastOffsetDeltaAt);
  }

  /** Of each batch, also one that is passed over: its last offset says how far. */
  #checkSum(end: number): void {
    if (end <= this.#checkedTo) return;
    const { bytes } = this.#answer;
    const stated = bytes.readUInt32BE(this.#at + batchHeader.crcAt);
    const found = checksum(bytes.subarray(this.#at + batchHeader.attributesAt, end));
    if (found !== stated) throw this.#corrupt(int64(bytes, this.#at), 'its checksum does not match');
    this.#checkedTo = end;
  }

  /** The checksum leaves the first offset out: what goes back is damaged there. A fetch's first batch may begin anywhere. */
  #checkOrder(): void {
    const base = int64(this.#answer.bytes, this.#at);
    if (this.#baseBefore < 0) return;
    if (base > this.#baseBefore && this.#lastOffset() >= Math.max(this.nextOffset, this.#lastBefore + 1)) return;
    throw this.#corrupt(base, `it follows on the one at offset ${this.#baseBefore}, which ends at ${this.#lastBefore}`);
  }

  #section(end: number): Section {
    const { bytes } = this.#answer;
    const start = this.#at;
    const attributes = bytes.readInt16BE(start + batchHeader.attributesAt);
    const maxTimeUnixMs = int64(bytes, start + batchHeader.maxTimestampAt);
    return {
      bytes,
      at: start + batchHeader.bytes,
      end,
      recordsLeft: bytes.readInt32BE(start + batchHeader.countAt),
      baseOffset: int64(bytes, start),
      lastOffset: this.#lastOffset(),
      baseTimeUnixMs: int64(bytes, start + batchHeader.baseTimestampAt),
      appendTimeUnixMs: attributes & attributeBits.logAppendTime ? maxTimeUnixMs : Number.NaN,
    };
  }

  /** The batch at the position, decompressed. */
  #opened(codec: number, end: number): Section {
    let section = this.#section(end);
    if (codec > 0) {
      const bytes = this.#unpack(codec, section);
      section = { ...section, bytes, at: 0, end: bytes.length };
    }
    const { recordsLeft, baseOffset, at } = section;
    // A count that its bytes can't hold would only serve to make us allocate.
    if (recordsLeft >= 0 && recordsLeft <= (section.end - at) / recordBytesMin) return section;
    throw this.#corrupt(baseOffset, `it claims ${recordsLeft} records in ${section.end - at} bytes`);
  }

  #unpack(codec: number, { bytes, at, end, baseOffset }: Section): Buffer {
    const { decompressedBytesMax } = this.#limits;
    try {
      const unpacked = decompress(codec, bytes.subarray(at, end), decompressedBytesMax);
      return Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.byteLength);
    } catch (cause) {
      const text = `it can't be decompressed to at most ${decompressedBytesMax} bytes (${(cause as Error).message})`;
      throw this.#corrupt(baseOffset, text, cause);
    }
  }

  #corrupt(offset: number, text: string, cause?: unknown): KafkaError {
    return new KafkaError('CORRUPT', `${this.#where}: the record batch at offset ${offset} is unusable: ${text}`, {
      cause,
    });
  }
}

/** The decompressed sections moved into one buffer; those without records have none. */
function joined(sections: readonly Section[], unpacked: readonly Buffer[]): Section[] {
  const bytes = Buffer.concat(unpacked);
  let start = 0;
  return sections.map((section) => {
    if (!unpacked.includes(section.bytes)) return section;
    const at = start;
    start += section.end;
    return { ...section, bytes, at, end: start };
  });
}

function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
