import type { CrashNote, NodeSays, ServiceName, ServiceSays } from '@holdfast/lease';
import {
  ByteFormatError,
  ByteReader,
  ByteWriter,
  decodeUtf8,
  encodeUtf8,
  type NodeId,
  type TopicId,
} from '@holdfast/model';

/**
 * What the control threads of nodes ask each other, beside Raft. Small and rare calls are JSON; those that carry units
 * are packed. Bodies name the session they speak for; the node's own name comes from the channel, never from a body.
 */
export const callMethods = [
  /** to the leader: the life of a session */
  'session.open',
  'session.renew',
  'session.closing',
  'session.end',
  /** to the leader: units */
  'units.acquire',
  'units.release',
  'units.move',
  'units.faulty',
  'generation.seen',
  'partitions.giveUp',
  /** to the leader: a node wants to be one of Raft's members */
  'raft.join',
  /** to any node */
  'leader',
  'status',
  'query',
  'units.handOver',
  /** to any node: does the host of a session's node refuse a connection from you too? */
  'node.tryConnect',
  /** the node's process shall stop: it is being removed */
  'node.leave',
  /** to the leader, for operators */
  'admin',
] as const;
export type CallMethod = (typeof callMethods)[number];

export function isCallMethod(method: string): method is CallMethod {
  return (callMethods as readonly string[]).includes(method);
}

/** What a call that needs the leader answers. */
export type LeaderReply<T = object> =
  | ({ readonly code: 'OK' } & T)
  | { readonly code: 'NOT_LEADER'; readonly leader: NodeId | null }
  /** The leader said no; asking again won't help. */
  | { readonly code: 'REFUSED'; readonly reason: RefusalReason; readonly text: string }
  /**
   * Not now: asking again may help (outcome may be unknown). `lacks`: the node has to have that service first.
   * `unanswered`: whoever was asked has said nothing in time; no leader says that.
   */
  | { readonly code: 'RETRY'; readonly text: string; readonly lacks?: ServiceName; readonly unanswered?: boolean };

export const ok = { code: 'OK' } as const;

/** Whoever asks so again is refused again. */
export const badRequest = (text: string): LeaderReply<never> => ({ code: 'REFUSED', reason: 'BAD_REQUEST', text });

export const refusalReasons = [
  /** Another data folder lives under this node's name. */
  'NODE_ID_TAKEN',
  /** The same data folder has begun a later incarnation, or a copy of it the same one. */
  'SUPERSEDED',
  /** The session is over, or closing. */
  'SESSION_OVER',
  /** The asking member was taken out of Raft's members: its storage is of no use any more. */
  'REMOVED',
  'BAD_REQUEST',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** Refusals after which a node can't go on, whatever it does. */
export type EndingReason = Extract<RefusalReason, 'NODE_ID_TAKEN' | 'SUPERSEDED' | 'REMOVED'>;

export function isEndingReason(reason: RefusalReason): reason is EndingReason {
  return reason === 'NODE_ID_TAKEN' || reason === 'SUPERSEDED' || reason === 'REMOVED';
}

export interface SessionOpenRequest extends NodeSays {
  /** Among Raft's members: who isn't one has no lease table to hold by. */
  readonly member: string;
  readonly uuid: string;
  readonly counter: number;
  /** the node's own, then one per shard */
  readonly addresses: readonly string[];
  readonly version: string;
  /** What the shards of this node's processes were at when these ended; none is the same as missing, as from a node of before. */
  readonly crashes?: readonly CrashNote[];
}

/** Partitions that their reader can't go on with (PROTOCOL.md 3.5). */
export interface GiveUpRequest {
  readonly session: number;
  readonly partitions: readonly { readonly topicId: TopicId; readonly partition: number; readonly epoch: number }[];
}

/** What an operator asks of the leader. */
export type AdminRequest =
  | { readonly kind: 'forceRelease'; readonly hi: number; readonly lo: number }
  | { readonly kind: 'forgetNode'; readonly nodeId: string }
  /** the process of a drained node shall stop: it is being removed */
  | { readonly kind: 'stopNode'; readonly nodeId: string }
  /** the node shall hold and read nothing, or may again */
  | { readonly kind: 'setDraining'; readonly nodeId: string; readonly draining: boolean }
  /** hands one unit to a node, or to one of its shards; shard null: the least loaded */
  | {
      readonly kind: 'moveUnit';
      readonly hi: number;
      readonly lo: number;
      readonly nodeId: string;
      readonly shard: number | null;
    }
  /** consents to a topic that was deleted and made anew */
  | { readonly kind: 'replaceTopic'; readonly topic: string }
  | { readonly kind: 'transferLeader'; readonly to: string }
  /** shows a unit's records to the job again, those that come from now on */
  | { readonly kind: 'liftQuarantine'; readonly hi: number; readonly lo: number }
  /** takes a node that is stopped or lost out of Raft's members */
  | { readonly kind: 'removeMember'; readonly nodeId: string };

export interface SessionRequest {
  readonly session: number;
}

export interface RenewRequest extends SessionRequest, NodeSays {}

export interface RenewAnswer {
  /** Of the leader's lease table: the node's has to get there. Leaders of before don't say. */
  readonly index?: number;
}

export interface QueryRequest {
  readonly shard: number;
  /** the key bytes in hex */
  readonly keyHex: string;
  readonly timeoutMs: number;
}

export function encodeJson(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

/** @throws ByteFormatError when it is not JSON in UTF-8 */
export function decodeJson<T>(bytes: Uint8Array): T {
  const text = decodeUtf8(bytes);
  if (text === null) throw new ByteFormatError('call body is not UTF-8');
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new ByteFormatError('call body is not JSON', { cause });
  }
}

/** Without what else is in a request. @throws ByteFormatError for what isn't told in numbers */
export function checkedSays({ tableIndex, services }: NodeSays): NodeSays {
  if (tableIndex !== undefined && !Number.isFinite(tableIndex)) throw new ByteFormatError('an index is a number');
  const said = tableIndex === undefined ? {} : { tableIndex };
  if (services === undefined) return said;
  const of = (name: ServiceName): ServiceSays => {
    const { silentMs, steadyMs } = services?.[name] ?? {};
    if (!isFiniteNumber(silentMs) || !isFiniteNumber(steadyMs))
      throw new ByteFormatError(`how the ${name} answers is told in numbers`);
    return { silentMs, steadyMs };
  };
  return { ...said, services: { log: of('log'), store: of('store') } };
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** Units that the shards of one session ask for, or end. */
export interface ShardUnits {
  readonly shard: number;
  /** `acquire`: hi, lo pairs; all others: hi, lo, epochHi, epochLo quadruples */
  readonly units: Uint32Array;
}

export interface UnitsRequest {
  readonly session: number;
  readonly shards: readonly ShardUnits[];
}

export function encodeUnits(request: UnitsRequest): Uint8Array {
  let words = 0;
  for (const { units } of request.shards) words += units.length;
  const writer = new ByteWriter(words * 4 + request.shards.length * 8 + 16);
  writer.varint(request.session).varint(request.shards.length);
  for (const { shard, units } of request.shards) {
    writer.varint(shard).varint(units.length);
    for (const word of units) writer.u32(word);
  }
  return writer.finish();
}

/** @throws ByteFormatError */
export function decodeUnits(bytes: Uint8Array): UnitsRequest {
  const reader = new ByteReader(bytes);
  const session = reader.varint();
  const shards: ShardUnits[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const shard = reader.varint();
    const length = reader.varint();
    if (length * 4 > bytes.length) throw new ByteFormatError(`${length} units in ${bytes.length} bytes`);
    const units = new Uint32Array(length);
    for (let i = 0; i < length; i++) units[i] = reader.u32();
    shards.push({ shard, units });
  }
  return { session, shards };
}

export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function decodeHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-f]/.test(text)) throw new ByteFormatError('not hex');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
