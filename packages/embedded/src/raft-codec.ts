import { ByteFormatError, ByteReader, ByteWriter, crc32c } from '@holdfast/model';
import { decodeConf, encodeConf, entryKinds, type HardState, type RaftEntry, type Snapshot } from '@holdfast/raft';

/** Every value begins with the CRC-32C of its key's number and its rest, so that a value under another's key is damage too. */
function seal(salt: number, body: Uint8Array): Uint8Array {
  return new ByteWriter(body.length + 4).u32(sumOf(salt, body)).raw(body).finish();
}

function sumOf(salt: number, body: Uint8Array): number {
  return crc32c(body, crc32c(new ByteWriter(8).f64(salt).finish()));
}

/** @throws ByteFormatError */
function unseal(salt: number, bytes: Uint8Array, what: string): ByteReader {
  const body = bytes.subarray(4);
  if (bytes.length < 4 || new ByteReader(bytes).u32() !== sumOf(salt, body)) {
    throw new ByteFormatError(`${what} fails its checksum`);
  }
  return new ByteReader(body);
}

const hardStateSalt = -1;
const snapshotSalt = -2;
const boundsSalt = -3;
const identitySalt = -4;

export function encodeEntry(entry: RaftEntry): Uint8Array {
  const writer = new ByteWriter(entry.data.length + 16).varint(entry.term).u8(entryKinds.indexOf(entry.kind));
  return seal(entry.index, writer.bytes(entry.data).finish());
}

/** Which entries are stored. Kept beside them, so that one missing at either end is noticed. */
export interface Bounds {
  readonly first: number;
  /** first − 1: none. */
  readonly last: number;
}

export function encodeBounds(bounds: Bounds): Uint8Array {
  return seal(boundsSalt, new ByteWriter(24).varint(bounds.first).varint(bounds.last).finish());
}

export function decodeBounds(bytes: Uint8Array): Bounds {
  const reader = unseal(boundsSalt, bytes, 'the record of which entries are stored');
  return { first: reader.varint(), last: reader.varint() };
}

export function decodeEntry(index: number, bytes: Uint8Array): RaftEntry {
  const reader = unseal(index, bytes, `entry ${index}`);
  const term = reader.varint();
  const number = reader.u8();
  const kind = entryKinds[number];
  if (kind === undefined) throw new ByteFormatError(`entry ${index} is of unknown kind ${number}`);
  return { term, index, kind, data: reader.bytes() };
}

export function encodeHardState(state: HardState): Uint8Array {
  const writer = new ByteWriter(64)
    .varint(state.term)
    .varint(state.commit)
    .u8(state.vote === null ? 0 : 1);
  if (state.vote !== null) writer.text(state.vote);
  return seal(hardStateSalt, writer.finish());
}

export function decodeHardState(bytes: Uint8Array): HardState {
  const reader = unseal(hardStateSalt, bytes, 'the hard state');
  const term = reader.varint();
  const commit = reader.varint();
  return { term, commit, vote: reader.u8() === 0 ? null : reader.text() };
}

export function encodeIdentity(identity: string): Uint8Array {
  return seal(identitySalt, new ByteWriter(64).text(identity).finish());
}

export function decodeIdentity(bytes: Uint8Array): string {
  return unseal(identitySalt, bytes, 'the identity').text();
}

/** All of a snapshot but its data, which is stored beside it in so many chunks at one of two places. */
export interface SnapshotHead extends Omit<Snapshot, 'data'> {
  readonly dataLength: number;
  readonly dataSum: number;
  readonly slot: number;
  readonly chunks: number;
}

export function encodeSnapshotHead(head: SnapshotHead): Uint8Array {
  const writer = new ByteWriter(128).varint(head.index).varint(head.term);
  encodeConf(writer, head.conf);
  writer.varint(head.dataLength).u32(head.dataSum).u8(head.slot).varint(head.chunks);
  return seal(snapshotSalt, writer.finish());
}

export function decodeSnapshotHead(bytes: Uint8Array): SnapshotHead {
  const reader = unseal(snapshotSalt, bytes, 'the snapshot');
  const index = reader.varint();
  const term = reader.varint();
  const conf = decodeConf(reader);
  const data = { dataLength: reader.varint(), dataSum: reader.u32(), slot: reader.u8(), chunks: reader.varint() };
  return { index, term, conf, ...data };
}
