import kafkajs from 'kafkajs';
import { compress, decompress } from '../codec/codecs.ts';
import { type Compression, compressions } from '../options.ts';

/** What kafkajs calls by its compression's number. */
interface KafkaJsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

function codec(compression: Compression, number: number, decompressedBytesMax: number): () => KafkaJsCodec {
  return () => ({
    compress: async ({ buffer }) => Buffer.from(compress(compression, buffer)),
    decompress: async (bytes) => Buffer.from(decompress(number, bytes, decompressedBytesMax)),
  });
}

/**
 * Gives kafkajs our codecs: it has gzip only, and without a limit. The registry is kafkajs's own and the process's, so
 * the last limit that was set holds for all.
 */
export function registerCodecs(decompressedBytesMax: number): void {
  const registry = kafkajs.CompressionCodecs as Record<number, () => KafkaJsCodec>;
  for (const [number, compression] of compressions.entries()) {
    if (number > 0) registry[number] = codec(compression, number, decompressedBytesMax);
  }
}
