import { sessionId, shardIndex, topicId } from '@holdfast/model';
import type { Frame, Return, StreamId } from '@holdfast/processor';
import { codecOf, protocolVersion } from './definitions.ts';
import { WireError } from './errors.ts';
import { plainBytes } from './plain-bytes.ts';
import { arrivedInteger, sentInteger, sentUint32 } from './wire-numbers.ts';

interface HelloMessage {
  protocolVersion: number;
  clusterId: string;
  fromSession: number;
  fromShard: number;
  toSession: number;
  toShard: number;
  incarnation: number;
}
interface FrameFields {
  number: number;
  tableIndex: number;
  reading: number;
  refusalSeen: number;
  topic: string;
  topicId: string;
  partition: number;
  durableWatermark: number;
  baseOffset: number;
  count: number;
  block: Uint8Array;
}
type FrameMessage = { hello?: HelloMessage; frame?: FrameFields };
type ReturnMessage = {
  applied?: { frame: number };
  refused?: { number: number; frame: number; tableIndex: number; units: readonly number[] };
  durable?: { frame: number; tableIndex: number };
};

const frameMessages = codecOf<FrameMessage>('Records', 'Frames', 'request');
const returnMessages = codecOf<ReturnMessage>('Records', 'Frames', 'response');

/** First message of a stream. */
export interface Hello {
  readonly clusterId: string;
  readonly stream: StreamId;
}

export function encodeHello(hello: Hello): Buffer {
  const { from, to, incarnation } = hello.stream;
  return frameMessages.encode({
    hello: {
      protocolVersion,
      clusterId: hello.clusterId,
      fromSession: sentInteger(from.session, 'from.session'),
      fromShard: sentUint32(from.shard, 'from.shard'),
      toSession: sentInteger(to.session, 'to.session'),
      toShard: sentUint32(to.shard, 'to.shard'),
      incarnation: sentInteger(incarnation, 'incarnation'),
    },
  });
}

/** A copy of the frame's bytes: the frame may change afterwards. */
export function encodeFrame(frame: Frame): Buffer {
  return frameMessages.encode({
    frame: {
      number: sentInteger(frame.number, 'frame.number'),
      tableIndex: sentInteger(frame.tableIndex, 'frame.tableIndex'),
      reading: sentInteger(frame.reading, 'frame.reading'),
      refusalSeen: sentInteger(frame.refusalSeen, 'frame.refusalSeen'),
      topic: frame.topic,
      topicId: frame.partition.topicId,
      partition: sentUint32(frame.partition.partition, 'frame.partition'),
      durableWatermark: sentInteger(frame.durableWatermark, 'frame.durableWatermark'),
      baseOffset: sentInteger(frame.baseOffset, 'frame.baseOffset'),
      count: sentUint32(frame.count, 'frame.count'),
      block: frame.block,
    },
  });
}

/** The block is a view of `bytes`. @throws Error when it is no message of the protocol */
export function decodeFrameMessage(bytes: Buffer): { kind: 'hello'; hello: Hello } | { kind: 'frame'; frame: Frame } {
  const { hello, frame } = frameMessages.decode(bytes);
  if (frame !== undefined) {
    return {
      kind: 'frame',
      frame: {
        number: arrivedInteger(frame.number, 'frame.number'),
        tableIndex: arrivedInteger(frame.tableIndex, 'frame.table_index'),
        reading: arrivedInteger(frame.reading, 'frame.reading'),
        refusalSeen: arrivedInteger(frame.refusalSeen, 'frame.refusal_seen'),
        topic: frame.topic,
        partition: { topicId: topicId(frame.topicId), partition: frame.partition },
        durableWatermark: arrivedInteger(frame.durableWatermark, 'frame.durable_watermark'),
        baseOffset: arrivedInteger(frame.baseOffset, 'frame.base_offset'),
        count: frame.count,
        block: plainBytes(frame.block),
      },
    };
  }
  if (hello === undefined) throw new WireError('a message that is neither hello nor frame');
  if (hello.protocolVersion !== protocolVersion) {
    throw new WireError(`protocol version ${hello.protocolVersion} instead of ${protocolVersion}`);
  }
  return {
    kind: 'hello',
    hello: {
      clusterId: hello.clusterId,
      stream: {
        from: {
          session: sessionId(arrivedInteger(hello.fromSession, 'hello.from_session')),
          shard: shardIndex(hello.fromShard),
        },
        to: {
          session: sessionId(arrivedInteger(hello.toSession, 'hello.to_session')),
          shard: shardIndex(hello.toShard),
        },
        incarnation: arrivedInteger(hello.incarnation, 'hello.incarnation'),
      },
    },
  };
}

export function encodeReturn(message: Return): Buffer {
  switch (message.kind) {
    case 'applied':
      return returnMessages.encode({ applied: { frame: sentInteger(message.frame, 'applied.frame') } });
    case 'refused':
      return returnMessages.encode({
        refused: {
          number: sentInteger(message.number, 'refused.number'),
          frame: sentInteger(message.frame, 'refused.frame'),
          tableIndex: sentInteger(message.tableIndex, 'refused.tableIndex'),
          units: Array.from(message.units),
        },
      });
    case 'durable':
      return returnMessages.encode({
        durable: {
          frame: sentInteger(message.frame, 'durable.frame'),
          tableIndex: sentInteger(message.tableIndex, 'durable.tableIndex'),
        },
      });
  }
}

/** @throws Error when it is no message of the protocol */
export function decodeReturn(bytes: Buffer): Return {
  const { applied, refused, durable } = returnMessages.decode(bytes);
  if (applied !== undefined) return { kind: 'applied', frame: arrivedInteger(applied.frame, 'applied.frame') };
  if (durable !== undefined) {
    return {
      kind: 'durable',
      frame: arrivedInteger(durable.frame, 'durable.frame'),
      tableIndex: arrivedInteger(durable.tableIndex, 'durable.table_index'),
    };
  }
  if (refused === undefined) throw new WireError('a return of unknown kind');
  if (refused.units.length % 2 !== 0) throw new WireError('refused.units are not pairs');
  return {
    kind: 'refused',
    number: arrivedInteger(refused.number, 'refused.number'),
    frame: arrivedInteger(refused.frame, 'refused.frame'),
    tableIndex: arrivedInteger(refused.tableIndex, 'refused.table_index'),
    units: Uint32Array.from(refused.units),
  };
}
