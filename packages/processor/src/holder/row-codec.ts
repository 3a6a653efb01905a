import { ByteFormatError, ByteReader, ByteWriter, copyBytes, type PartitionId, topicId } from '@holdfast/model';

/**
 * The row of a unit as the store keeps it (PROTOCOL.md 5.1): every user state of the unit and the offset vector,
 * written whole. Epoch, seq and the checksum are the store's business and stand outside.
 *
 *   u8 format (1) · varint n · n × (text topicId, varint partition, varint last applied offset)
 *   varint m · m × (bytes key, text job, bytes state)
 */
export interface RowContent {
  readonly vector: readonly VectorEntry[];
  readonly users: readonly RowUser[];
}

export interface VectorEntry {
  readonly partition: PartitionId;
  /** Last offset of the partition that is in the states. */
  readonly offset: number;
}

export interface RowUser {
  readonly key: Uint8Array;
  readonly job: string;
  readonly state: Uint8Array;
}

const format = 1;

export function encodeRow(content: RowContent): Uint8Array {
  const writer = new ByteWriter(512);
  writer.u8(format).varint(content.vector.length);
  for (const { partition, offset } of content.vector) {
    writer.text(partition.topicId).varint(partition.partition).varint(offset);
  }
  writer.varint(content.users.length);
  for (const { key, job, state } of content.users) writer.bytes(key).text(job).bytes(state);
  return writer.finish();
}

/** @throws ByteFormatError when the bytes are damaged or of a newer format */
export function decodeRow(bytes: Uint8Array): RowContent {
  const reader = new ByteReader(bytes);
  const found = reader.u8();
  if (found !== format) throw new ByteFormatError(`row format ${found}, but this version reads ${format}`);
  const vector: VectorEntry[] = [];
  for (let n = reader.varint(); n > 0; n--) {
    const topic = topicId(reader.text());
    const partition = reader.varint();
    vector.push({ partition: { topicId: topic, partition }, offset: reader.varint() });
  }
  const users: RowUser[] = [];
  for (let n = reader.varint(); n > 0; n--) {
    const key = copyBytes(reader.bytes());
    const job = reader.text();
    users.push({ key, job, state: copyBytes(reader.bytes()) });
  }
  if (!reader.atEnd) throw new ByteFormatError(`row goes on after byte ${reader.position}`);
  return { vector, users };
}
