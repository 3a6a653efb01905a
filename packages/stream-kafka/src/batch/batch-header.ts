/**
 * Head of a record batch, format 2, big endian.
 *   0 baseOffset i64 · 8 batchLength i32 (of what follows) · 12 partitionLeaderEpoch i32 · 16 magic i8 · 17 crc u32
 *   21 attributes i16 · 23 lastOffsetDelta i32 · 27 baseTimestamp i64 · 35 maxTimestamp i64
 *   43 producerId i64 · 51 producerEpoch i16 · 53 baseSequence i32 · 57 recordCount i32 · 61 records
 * The checksum covers what lies from `attributes` on. Records are compressed as one, the head never is.
 * A record: length varint, attributes i8, timestampDelta varlong, offsetDelta varint, key length varint (-1: null), key,
 *   value length varint (-1: null), value, header count varint, headers. Varints are zigzag.
 * Source: Kafka documentation, "Record Batch".
 */
export const batchHeader = {
  lengthAt: 8,
  magicAt: 16,
  crcAt: 17,
  attributesAt: 21,
  lastOffsetDeltaAt: 23,
  baseTimestampAt: 27,
  maxTimestampAt: 35,
  producerIdAt: 43,
  countAt: 57,
  bytes: 61,
  /** What `batchLength` leaves out. */
  lengthOverhead: 12,
} as const;

export const attributeBits = { compression: 7, logAppendTime: 8, transactional: 16, control: 32 } as const;

/** The least that a record takes: one byte of each field. */
export const recordBytesMin = 7;
