import { compressFrameSync } from 'lz4-napi';

const magic = 0x184d2204;
/** Largest block by the frame's code. Source: LZ4 frame format 1.6, "Block Maximum Size". */
const blockBytesMax: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 };
const minMatch = 4;

/** One LZ4 frame, as Kafka's clients write it. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  return compressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/**
 * Decompresses one LZ4 frame. Done here because lz4-napi can't be told a limit, and a frame may hold 255 times its
 * size. Checksums are passed over: the record batch has one over all of it.
 * Source: LZ4 frame format 1.6, LZ4 block format.
 * @throws Error beyond `bytesMax`, or when the bytes are no whole frame
 */
export function lz4Decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 7 || view.getUint32(0, true) !== magic) throw new Error('no LZ4 frame');
  const flags = bytes[4]!;
  const blockMax = blockBytesMax[(bytes[5]! >> 4) & 7];
  if (flags >> 6 !== 1 || blockMax === undefined || flags & 1) throw new Error('an LZ4 frame of an unknown form');
  const blockChecksumBytes = flags & 0x10 ? 4 : 0;
  let at = 6 + (flags & 0x08 ? 8 : 0) + 1;
  const out = new Output(bytesMax);
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('an LZ4 frame is cut');
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return out.finish();
    const end = at + (size & 0x7fffffff);
    if (end > bytes.length) throw new Error('an LZ4 block is cut');
    if (size & 0x80000000) out.copyFrom(bytes, at, end);
    else decodeBlock(bytes, at, end, out, blockMax);
    at = end + blockChecksumBytes;
  }
}

/** Blocks may refer back into earlier ones, so all go to one output. */
function decodeBlock(bytes: Uint8Array, at: number, end: number, out: Output, blockMax: number): void {
  out.reserve(blockMax);
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do literals += more = bytes[at++] ?? 0;
      while (more === 255);
    }
    if (at + literals > end) throw new Error('an LZ4 block is cut');
    out.copyFrom(bytes, at, at + literals);
    at += literals;
    // The last sequence has literals only.
    if (at >= end) return;
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do length += more = bytes[at++] ?? 0;
      while (more === 255);
    }
    if (at > end) throw new Error('an LZ4 block is cut');
    out.repeat(distance, length + minMatch);
  }
}

/** A growing buffer that refuses to become larger than its limit. */
class Output {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Room for `count` bytes more, if the limit allows. */
  reserve(count: number): void {
    this.#grow(Math.min(this.#length + count, this.#bytesMax));
  }

  copyFrom(bytes: Uint8Array, start: number, end: number): void {
    this.#check(end - start);
    if (end - start > 32) this.#bytes.set(bytes.subarray(start, end), this.#length);
    else for (let i = start, to = this.#length; i < end; i++, to++) this.#bytes[to] = bytes[i]!;
    this.#length += end - start;
  }

  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.#length) throw new Error('an LZ4 match begins before the output');
    this.#check(count);
    const bytes = this.#bytes;
    let to = this.#length;
    if (distance >= count && count > 32) bytes.copyWithin(to, to - distance, to - distance + count);
    else for (const end = to + count; to < end; to++) bytes[to] = bytes[to - distance]!;
    this.#length += count;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #check(count: number): void {
    const wanted = this.#length + count;
    if (wanted > this.#bytesMax) throw new Error(`it holds more than ${this.#bytesMax} bytes`);
    if (wanted > this.#bytes.length) this.#grow(wanted);
  }

  #grow(wanted: number): void {
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(Math.max(this.#bytes.length * 2, wanted), this.#bytesMax));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
