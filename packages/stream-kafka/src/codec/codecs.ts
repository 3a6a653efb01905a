import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Compression, compressions } from '../options.ts';
import { lz4Compress, lz4Decompress } from './lz4.ts';
import { snappyCompress, snappyDecompress } from './snappy.ts';

interface Codec {
  compress(bytes: Uint8Array): Uint8Array;
  /** @throws Error when it would become more than `bytesMax` */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

/** The size in which zlib's output comes: in one piece, mostly, or it is copied together. */
function pieceBytes(bytes: Uint8Array): number {
  return Math.min(Math.max(bytes.length * 8, 16 * 1024), 1024 * 1024);
}

const codecs: Readonly<Record<Compression, Codec>> = {
  none: { compress: (bytes) => bytes, decompress: (bytes) => bytes },
  gzip: {
    compress: gzipSync,
    decompress: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength, chunkSize: pieceBytes(bytes) }),
  },
  snappy: { compress: snappyCompress, decompress: snappyDecompress },
  lz4: { compress: lz4Compress, decompress: lz4Decompress },
  zstd: {
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes, maxOutputLength) =>
      zstdDecompressSync(bytes, { maxOutputLength, chunkSize: pieceBytes(bytes) }),
  },
};

/** The number that a record batch's attributes have for it: 0 to 4. */
export function compressionNumber(compression: Compression): number {
  return compressions.indexOf(compression);
}

export function compress(compression: Compression, bytes: Uint8Array): Uint8Array {
  return codecs[compression].compress(bytes);
}

/** @throws Error for an unknown number, damaged bytes, or more than `bytesMax` of them */
export function decompress(number: number, bytes: Uint8Array, bytesMax: number): Uint8Array {
  const compression = compressions[number];
  if (compression === undefined) throw new Error(`unknown compression ${number}`);
  return codecs[compression].decompress(bytes, bytesMax);
}
