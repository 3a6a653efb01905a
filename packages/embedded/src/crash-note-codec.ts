import type { CrashNote } from '@holdfast/engine';
import { crc32c, type PartitionId, topicId } from '@holdfast/model';

/*
 * A shard's note: 0 kind u8 (0: none) · 4 checksum u32 of that and of all from byte 8 on · 8 counter f64 · 16 hi u32 · 20 lo u32
 * · 24 partition u32 · 28 length of the topic id u32 · 32 first offset f64 · 40 last offset f64 · 48 topic id. Little endian.
 */
export const kindAt = 0;
const checksumAt = 4;
const counterAt = 8;
const hiAt = 16;
const loAt = 20;
const partitionAt = 24;
const topicLengthAt = 28;
const firstAt = 32;
const lastAt = 40;
const topicAt = 48;
export const kindCodes = { none: 0, record: 1, frame: 2 } as const;

/** Writes notes of one shard into a buffer of its own, which is reused. */
export class CrashNoteEncoder {
  bytes = Buffer.alloc(topicAt);
  readonly #counter: number;
  #topicId: string | null = null;

  constructor(counter: number) {
    this.#counter = counter;
  }

  encode(
    kind: 'record' | 'frame',
    hi: number,
    lo: number,
    partition: PartitionId,
    first: number,
    last: number,
  ): Buffer {
    if (partition.topicId !== this.#topicId) {
      this.#topicId = partition.topicId;
      const topic = Buffer.from(partition.topicId, 'utf8');
      this.bytes = Buffer.concat([Buffer.alloc(topicAt), topic]);
      this.bytes.writeDoubleLE(this.#counter, counterAt);
      this.bytes.writeUInt32LE(topic.length, topicLengthAt);
    }
    const { bytes } = this;
    bytes[kindAt] = kindCodes[kind];
    bytes.writeUInt32LE(hi >>> 0, hiAt);
    bytes.writeUInt32LE(lo >>> 0, loAt);
    bytes.writeUInt32LE(partition.partition, partitionAt);
    bytes.writeDoubleLE(first, firstAt);
    bytes.writeDoubleLE(last, lastAt);
    bytes.writeUInt32LE(crc32c(bytes.subarray(counterAt), kindCodes[kind]), checksumAt);
    return bytes;
  }
}

/** Null when it holds none, or one that a power cut tore. */
export function decodeCrashNote(file: Buffer): CrashNote | null {
  const kind = file[kindAt];
  if (file.length < topicAt || (kind !== kindCodes.record && kind !== kindCodes.frame)) return null;
  const end = topicAt + file.readUInt32LE(topicLengthAt);
  if (end > file.length || crc32c(file.subarray(counterAt, end), kind) !== file.readUInt32LE(checksumAt)) return null;
  const position = {
    topicId: topicId(file.toString('utf8', topicAt, end)),
    partition: file.readUInt32LE(partitionAt),
    counter: file.readDoubleLE(counterAt),
  };
  const [first, last] = [file.readDoubleLE(firstAt), file.readDoubleLE(lastAt)];
  if (kind === kindCodes.frame) return { kind: 'frame', ...position, first, last };
  return { kind: 'record', ...position, hi: file.readUInt32LE(hiAt), lo: file.readUInt32LE(loAt), offset: first };
}
