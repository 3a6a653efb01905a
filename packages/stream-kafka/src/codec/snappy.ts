import { compress, uncompress } from 'snappyjs';

/** "\x82SNAPPY\0", version 1, compatible with 1: how Java's stream begins. */
const xerialHead = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const xerialMagicBytes = 8;
/** Java's stream compresses in pieces of this size. */
const pieceBytes = 32 * 1024;

/** Snappy as Kafka's clients write it: pieces with their lengths behind a head (xerial's framing). */
export function snappyCompress(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [xerialHead];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = compress(bytes.subarray(at, at + pieceBytes));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(piece.length);
    parts.push(length, piece);
  }
  return Buffer.concat(parts);
}

/** Both forms in use: with Java's framing, and one bare piece (librdkafka). @throws Error beyond `bytesMax` or when cut */
export function snappyDecompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const framed =
    bytes.length >= xerialHead.length &&
    Buffer.compare(bytes.subarray(0, xerialMagicBytes), xerialHead.subarray(0, xerialMagicBytes)) === 0;
  if (!framed) return uncompress(bytes, bytesMax);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = xerialHead.length; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new Error('a snappy piece is cut');
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) throw new Error('a snappy piece is cut');
    const part = uncompress(bytes.subarray(at + 4, end), bytesMax - total);
    total += part.length;
    parts.push(part);
    at = end;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
