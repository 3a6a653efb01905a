import { ByteFormatError, ByteReader, ByteWriter, encodeUtf8, type NodeId, nodeId } from '@holdfast/model';
import { isIncarnation } from '../incarnation.ts';
import { addressBytesMax, nodeIdBytesMax } from '../limits.ts';
import { type MemberClaim, memberStates } from '../member.ts';
import { isText } from '../node-meta.ts';
import { decodeNodeMeta, encodeNodeMeta } from '../node-meta-codec.ts';
import type { News, SwimMessage, SwimPacket } from './packet.ts';
import { accusersMax } from './suspicion.ts';

const formatVersion = 1;
const messageTypes = ['ping', 'ack', 'nack', 'relayed', 'pingReq', 'pull', 'news'] as const;

/** What a packet has beside its news, at most: format, sender, type, the longest message, the count. */
export function packetHeadBytes(from: NodeId, message: SwimMessage): number {
  const named = 'target' in message ? 2 + encodeUtf8(message.target).length : 0;
  const address = 'address' in message ? 2 + message.address.length : 0;
  return 2 + 2 + encodeUtf8(from).length + 8 + named + address + 2;
}

/**
 * u8 format, text from, u8 type, fields of the message, varint count, and so many news. Fields: ping: varint seq, text
 * target. ack, nack, relayed: varint seq. pingReq: varint seq, text target, text address. pull: u32 digest, u8 back.
 */
export function encodePacket({ from, message, news }: SwimPacket): Uint8Array {
  const writer = new ByteWriter(1400).u8(formatVersion).text(from).u8(messageTypes.indexOf(message.type));
  if ('seq' in message) writer.varint(message.seq);
  if ('target' in message) writer.text(message.target);
  if ('address' in message) writer.text(message.address);
  if (message.type === 'pull') writer.u32(message.digest).u8(message.back ? 1 : 0);
  writer.varint(news.length);
  for (const one of news) writeNews(writer, one);
  return writer.finish();
}

/** Null for anything that `encodePacket` can't have made: bytes come from outside, and never cause a throw. */
export function decodePacket(bytes: Uint8Array): SwimPacket | null {
  const reader = new ByteReader(bytes);
  try {
    if (reader.u8() !== formatVersion) return null;
    const from = readId(reader);
    const message = readMessage(reader);
    const count = reader.varint();
    const news: News[] = [];
    // A false count ends at the end of the bytes.
    for (let i = 0; i < count; i++) news.push(readNews(reader));
    return reader.atEnd ? { from, message, news } : null;
  } catch (error) {
    if (error instanceof ByteFormatError) return null;
    throw error;
  }
}

function readMessage(reader: ByteReader): SwimMessage {
  const type = messageTypes[reader.u8()];
  switch (type) {
    case 'ping':
      return { type, seq: reader.varint(), target: readId(reader) };
    case 'ack':
    case 'nack':
    case 'relayed':
      return { type, seq: reader.varint() };
    case 'pingReq':
      return { type, seq: reader.varint(), target: readId(reader), address: readAddress(reader) };
    case 'pull':
      return { type, digest: reader.u32(), back: reader.u8() === 1 };
    case 'news':
      return { type };
    case undefined:
      throw new ByteFormatError('unknown message');
  }
}

/** Encoded size. */
export function newsBytes(news: News): number {
  const writer = new ByteWriter();
  writeNews(writer, news);
  return writer.length;
}

/** text id, varint incarnation, u8 state, text address, bytes meta, varint age in seconds, u8 count, so many text accusers */
function writeNews(writer: ByteWriter, { claim, ageMs, accusers }: News): void {
  writer.text(claim.id).varint(claim.incarnation).u8(memberStates.indexOf(claim.state)).text(claim.gossipAddress);
  writer
    .bytes(encodeNodeMeta(claim.meta))
    // Never told as younger than it is: that would bring it back where it is forgotten.
    .varint(Math.ceil(ageMs / 1000))
    .u8(accusers.length);
  for (const accuser of accusers) writer.text(accuser);
}

function readNews(reader: ByteReader): News {
  const claim = readClaim(reader);
  const ageMs = reader.varint() * 1000;
  const count = reader.u8();
  if (count > accusersMax) throw new ByteFormatError(`${count} accusers`);
  const accusers = Array.from({ length: count }, () => readId(reader));
  return { claim, ageMs, accusers };
}

function readClaim(reader: ByteReader): MemberClaim {
  const id = readId(reader);
  const incarnation = reader.varint();
  const state = memberStates[reader.u8()];
  const gossipAddress = readAddress(reader);
  const meta = decodeNodeMeta(reader.bytes());
  if (!isIncarnation(incarnation) || state === undefined || 'code' in meta) throw new ByteFormatError('no claim');
  return { id, incarnation, state, gossipAddress, meta };
}

function readId(reader: ByteReader): NodeId {
  const text = reader.text();
  if (!isText(text, nodeIdBytesMax)) throw new ByteFormatError('no id');
  return nodeId(text);
}

function readAddress(reader: ByteReader): string {
  const text = reader.text();
  if (text.length > addressBytesMax) throw new ByteFormatError(`address of ${text.length}`);
  return text;
}
