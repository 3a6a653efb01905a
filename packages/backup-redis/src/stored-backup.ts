import { assert, ByteFormatError, ByteReader, ByteWriter, formatUnit, type Unit } from '@holdfast/model';
import { RedisStoreError } from './errors.ts';

/** The form of `StoredBackup` that is written (proto/holdfast/store/v1/backup.proto). */
export const storedSchema = 1;

/** Schema, epoch and seq: always there, always first. The store's function goes by these places. */
export const headerBytes = 20;

const tags = { schema: 0x08, epoch: 0x11, seq: 0x19, savedUnixMs: 0x20, row: 0x2a } as const;

export interface StoredBackup {
  readonly epoch: number;
  readonly seq: number;
  readonly savedUnixMs: number;
  readonly row: Uint8Array | null;
}

export function encodeBackup({ epoch, seq, savedUnixMs, row }: StoredBackup): Uint8Array {
  const writer = new ByteWriter(headerBytes + 20 + (row?.length ?? 0));
  writer.u8(tags.schema).u8(storedSchema);
  fixed64(writer.u8(tags.epoch), epoch);
  fixed64(writer.u8(tags.seq), seq);
  if (savedUnixMs !== 0) writer.u8(tags.savedUnixMs).varint(savedUnixMs);
  if (row !== null) writer.u8(tags.row).bytes(row);
  return writer.finish();
}

/**
 * The row is a copy.
 * @throws RedisStoreError CORRUPT
 */
export function decodeBackup(bytes: Uint8Array, unit: Unit): StoredBackup {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== tags.schema) throw new ByteFormatError('no schema');
    const schema = reader.varint();
    if (schema !== storedSchema) {
      const name = formatUnit(unit.hi, unit.lo);
      const text = `the stored row of unit ${name} has schema ${schema}, this holdfast knows ${storedSchema}: a newer one wrote it`;
      throw new RedisStoreError('CORRUPT', text);
    }
    if (reader.u8() !== tags.epoch) throw new ByteFormatError('no epoch');
    const epoch = readFixed64(reader);
    if (reader.u8() !== tags.seq) throw new ByteFormatError('no seq');
    const seq = readFixed64(reader);
    let tag = reader.atEnd ? 0 : reader.u8();
    const savedUnixMs = tag === tags.savedUnixMs ? reader.varint() : 0;
    if (tag === tags.savedUnixMs) tag = reader.atEnd ? 0 : reader.u8();
    const row = tag === tags.row ? new Uint8Array(reader.bytes()) : null;
    if (tag !== 0 && tag !== tags.row) throw new ByteFormatError(`field tag ${tag}`);
    if (!reader.atEnd) throw new ByteFormatError('bytes behind the end');
    return { epoch, seq, savedUnixMs, row };
  } catch (cause) {
    if (cause instanceof RedisStoreError) throw cause;
    throw new RedisStoreError('CORRUPT', `the stored row of unit ${formatUnit(unit.hi, unit.lo)} is damaged`, {
      cause,
    });
  }
}

function fixed64(writer: ByteWriter, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `fixed64 of ${value}`);
  writer.u32(value % 0x1_0000_0000).u32(Math.floor(value / 0x1_0000_0000));
}

function readFixed64(reader: ByteReader): number {
  const low = reader.u32();
  const value = reader.u32() * 0x1_0000_0000 + low;
  if (!Number.isSafeInteger(value)) throw new ByteFormatError(`fixed64 of ${value}`);
  return value;
}
