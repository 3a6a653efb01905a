import { assert, ByteFormatError, ByteReader, ByteWriter } from '@holdfast/model';
import { formatAddress, parseAddress } from './address.ts';
import { type MembershipError, nodeMetaMalformed } from './errors.ts';
import { nodeMetaBytesMax, shardsMax } from './limits.ts';
import type { NodeMeta } from './member.ts';
import { nodeMetaProblems } from './node-meta.ts';

const formatVersion = 1;

/**
 * Compact bytes of a meta: about 60 for a node of three shards.
 *
 * u8 format, 16 bytes uuid, varint startCounter, text version, text peerAddress, address httpAddress, text zone,
 * varint count and so many addresses of shards. An address is u8 kind: 0 none; 1 the host of peerAddress, then varint
 * port; 2 text. Texts are varint length and UTF-8; an absent zone is an empty text.
 * @throws AssertionError for a meta with problems (`nodeMetaProblems`), or whose bytes exceed `nodeMetaBytesMax`
 */
export function encodeNodeMeta(meta: NodeMeta): Uint8Array {
  const problems = nodeMetaProblems(meta);
  assert(problems.length === 0, `node meta: ${problems.join('; ')}`);
  const bytes = writeNodeMeta(meta);
  assert(bytes.length <= nodeMetaBytesMax, `node meta of ${bytes.length} bytes, expected at most ${nodeMetaBytesMax}`);
  return bytes;
}

/** The encoded size, so that configuration can be checked before anything starts. The meta must have no problems. */
export function nodeMetaBytes(meta: NodeMeta): number {
  return writeNodeMeta(meta).length;
}

function writeNodeMeta(meta: NodeMeta): Uint8Array {
  const writer = new ByteWriter();
  const peerHost = parseAddress(meta.peerAddress)!.host;
  writer.u8(formatVersion).raw(uuidBytes(meta.uuid)).varint(meta.startCounter);
  writer.text(meta.version).text(meta.peerAddress);
  writeAddress(writer, meta.httpAddress, peerHost);
  writer.text(meta.zone ?? '').varint(meta.shardAddresses.length);
  for (const address of meta.shardAddresses) writeAddress(writer, address, peerHost);
  return writer.finish();
}

/** Reads what `encodeNodeMeta` wrote. Bytes come from outside: anything else is answered with an error, never thrown. */
export function decodeNodeMeta(bytes: Uint8Array): NodeMeta | MembershipError {
  if (bytes.length > nodeMetaBytesMax) return nodeMetaMalformed(`${bytes.length} bytes, limit ${nodeMetaBytesMax}`);
  let meta: NodeMeta;
  try {
    meta = readNodeMeta(new ByteReader(bytes));
  } catch (error) {
    if (error instanceof ByteFormatError) return nodeMetaMalformed(error.message);
    throw error;
  }
  const problems = nodeMetaProblems(meta);
  return problems.length === 0 ? meta : nodeMetaMalformed(problems.join('; '));
}

function readNodeMeta(reader: ByteReader): NodeMeta {
  const format = reader.u8();
  if (format !== formatVersion) throw new ByteFormatError(`node meta of format ${format}, known is ${formatVersion}`);
  const uuid = uuidOf(reader.raw(16));
  const startCounter = reader.varint();
  const version = reader.text();
  const peerAddress = reader.text();
  const peer = parseAddress(peerAddress);
  if (peer === null) throw new ByteFormatError('peer address is not host:port');
  const httpAddress = readAddress(reader, peer.host);
  const zone = reader.text();
  const count = reader.varint();
  if (count > shardsMax) throw new ByteFormatError(`${count} shards, limit ${shardsMax}`);
  const shardAddresses: string[] = [];
  for (let i = 0; i < count; i++) {
    const address = readAddress(reader, peer.host);
    if (address === null) throw new ByteFormatError(`shard ${i} has no address`);
    shardAddresses.push(address);
  }
  // A later version of this program may add fields at the end: they are skipped, so that versions can be mixed.
  return { uuid, startCounter, version, peerAddress, shardAddresses, httpAddress, zone: zone === '' ? null : zone };
}

function writeAddress(writer: ByteWriter, text: string | null, peerHost: string): void {
  if (text === null) {
    writer.u8(0);
    return;
  }
  const address = parseAddress(text)!;
  if (address.host === peerHost) writer.u8(1).varint(address.port);
  else writer.u8(2).text(text);
}

function readAddress(reader: ByteReader, peerHost: string): string | null {
  const kind = reader.u8();
  if (kind === 0) return null;
  if (kind === 1) return formatAddress(peerHost, reader.varint());
  if (kind === 2) return reader.text();
  throw new ByteFormatError(`address of kind ${kind}`);
}

function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
