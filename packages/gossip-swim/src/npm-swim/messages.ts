import { addressBytesMax, isIncarnation, nodeIdBytesMax, nodeMetaBytesMax } from '@holdfast/membership';
import { ByteFormatError, ByteReader, ByteWriter } from '@holdfast/model';
import type { SwimMemberData } from 'swim';
import { bytesToText, textToBytes } from './envelope.ts';

/** swim's message types, as in its `message-type.js`. */
export const messageTypes = { compound: 0, ping: 10, pingReq: 11, sync: 12, ack: 13, update: 14 } as const;

export type SwimMessage =
  | { readonly type: 'ping' | 'ack'; readonly data: { seq: number } }
  | { readonly type: 'pingreq'; readonly data: { seq: number; destination: string } }
  | { readonly type: 'sync' | 'update'; readonly data: SwimMemberData };

const envelopeBytesMax = 3 + nodeIdBytesMax + nodeMetaBytesMax;

/**
 * The payload of one message, in place of swim's msgpack or JSON: smaller, strict, and without a native module.
 * ping, ack: varint seq. pingreq: varint seq, text destination. sync, update: text host, u8 state, varint incarnation,
 * bytes envelope. The type itself travels outside, written by swim.
 */
export function encodePayload(data: unknown): Buffer {
  const { seq, destination, host, state, incarnation, meta } = data as Partial<
    SwimMemberData & { seq: number; destination: string }
  >;
  const writer = new ByteWriter();
  if (host !== undefined) writer.text(host).u8(state!).varint(incarnation!).bytes(textToBytes(meta!));
  else {
    writer.varint(seq!);
    if (destination !== undefined) writer.text(destination);
  }
  // swim concatenates payloads with Buffer's methods.
  return Buffer.from(writer.finish());
}

export interface ParsedMessages {
  readonly messages: readonly SwimMessage[];
  /** Messages whose frame was right but whose content was not: of a later version, or hostile. They are skipped. */
  readonly malformedCount: number;
}

/**
 * Reads what swim sends: one message, or a compound (u8 0, u16 count, then u16 length and message each; little-endian).
 * Compounds don't nest. Only updates ride along with another message, so more than one that asks for an answer is
 * refused: a datagram full of pings would turn this node into an amplifier.
 * @returns null for anything else; bytes come from outside
 */
export function parseMessages(body: Uint8Array): ParsedMessages | null {
  const frames = splitFrames(body);
  if (frames === null) return null;
  const messages: SwimMessage[] = [];
  let malformedCount = 0;
  let primaryCount = 0;
  for (const frame of frames) {
    const message = parseMessage(frame);
    if (message === null) malformedCount++;
    else {
      if (message.type !== 'update' && ++primaryCount > 1) return null;
      messages.push(message);
    }
  }
  return { messages, malformedCount };
}

function splitFrames(body: Uint8Array): Uint8Array[] | null {
  if (body.length === 0) return null;
  if (body[0] !== messageTypes.compound) return [body];
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  if (body.length < 3) return null;
  const count = view.getUint16(1, true);
  const frames: Uint8Array[] = [];
  let at = 3;
  for (let i = 0; i < count; i++) {
    if (at + 2 > body.length) return null;
    const length = view.getUint16(at, true);
    at += 2;
    if (length === 0 || at + length > body.length) return null;
    frames.push(body.subarray(at, at + length));
    at += length;
  }
  return at === body.length ? frames : null;
}

function parseMessage(frame: Uint8Array): SwimMessage | null {
  const reader = new ByteReader(frame, 1);
  try {
    const message = readMessage(frame[0]!, reader);
    return reader.atEnd ? message : null;
  } catch (error) {
    if (error instanceof ByteFormatError) return null;
    throw error;
  }
}

function readMessage(type: number, reader: ByteReader): SwimMessage | null {
  switch (type) {
    case messageTypes.ping:
      return { type: 'ping', data: { seq: reader.varint() } };
    case messageTypes.ack:
      return { type: 'ack', data: { seq: reader.varint() } };
    case messageTypes.pingReq:
      return { type: 'pingreq', data: { seq: reader.varint(), destination: readAddressText(reader) } };
    case messageTypes.sync:
      return { type: 'sync', data: readClaim(reader) };
    case messageTypes.update:
      return { type: 'update', data: readClaim(reader) };
    default:
      return null;
  }
}

function readClaim(reader: ByteReader): SwimMemberData {
  const host = readAddressText(reader);
  const state = reader.u8();
  const incarnation = reader.varint();
  const envelope = reader.bytes();
  if (state > 2 || !isIncarnation(incarnation) || envelope.length > envelopeBytesMax) {
    throw new ByteFormatError(`claim of state ${state}, incarnation ${incarnation}, ${envelope.length} bytes`);
  }
  return { host, state, incarnation, meta: bytesToText(envelope) };
}

function readAddressText(reader: ByteReader): string {
  const bytes = reader.bytes();
  if (bytes.length > addressBytesMax) throw new ByteFormatError(`address of ${bytes.length} bytes`);
  return bytesToText(bytes);
}
