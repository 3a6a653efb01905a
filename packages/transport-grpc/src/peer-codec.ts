import { codecOf, protocolVersion } from './definitions.ts';
import { WireError } from './errors.ts';
import { plainBytes } from './plain-bytes.ts';

/** Who speaks, and to whom. */
export interface PeerHello {
  readonly clusterId: string;
  readonly from: string;
  readonly to: string;
}

interface HelloMessage extends PeerHello {
  readonly protocolVersion: number;
}

interface RaftBatchMessage {
  readonly hello?: HelloMessage | null;
  readonly messages?: readonly Uint8Array[];
  readonly part?: { readonly bytes: Uint8Array; readonly last: boolean } | null;
}

interface CallRequestMessage {
  readonly hello?: HelloMessage | null;
  readonly id?: number;
  readonly method?: string;
  readonly body?: Uint8Array;
}

interface CallReplyMessage {
  readonly id: number;
  readonly body?: Uint8Array;
  readonly failure?: string;
}

/** Messages of a Raft stream, encoded RaftMessages inside. */
export type RaftBatch =
  | { readonly kind: 'hello'; readonly hello: PeerHello }
  | { readonly kind: 'messages'; readonly messages: readonly Uint8Array[] }
  | { readonly kind: 'part'; readonly bytes: Uint8Array; readonly last: boolean };

/** Messages of a stream of calls. */
export type CallRequest =
  | { readonly kind: 'hello'; readonly hello: PeerHello }
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly body: Uint8Array };

/** The answer to the call with this id; `failure` is the text of the handler's error. */
export type CallReply =
  | { readonly kind: 'body'; readonly id: number; readonly body: Uint8Array }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: string };

/** Bytes of a call or an answer beside its body: id, method, and what encoding adds. */
export const callHeadBytesMax = 256;

const noBytes = new Uint8Array(0);

const batches = codecOf<RaftBatchMessage>('Peers', 'Raft', 'request');
const done = codecOf<object>('Peers', 'Raft', 'response');
const requests = codecOf<CallRequestMessage>('Peers', 'Calls', 'request');
const replies = codecOf<CallReplyMessage>('Peers', 'Calls', 'response');

export function encodeRaftBatch(batch: RaftBatch): Buffer {
  switch (batch.kind) {
    case 'hello':
      return batches.encode({ hello: { ...batch.hello, protocolVersion } });
    case 'messages':
      return batches.encode({ messages: batch.messages });
    case 'part':
      return batches.encode({ part: { bytes: batch.bytes, last: batch.last } });
  }
}

/** @throws Error when it is no message of the protocol */
export function decodeRaftBatch(bytes: Buffer): RaftBatch {
  const { hello, messages, part } = batches.decode(bytes);
  if (hello) return { kind: 'hello', hello: checkedHello(hello) };
  if (part) return { kind: 'part', bytes: plainBytes(part.bytes), last: part.last };
  return { kind: 'messages', messages: (messages ?? []).map(plainBytes) };
}

export const raftDone: Buffer = done.encode({});

export function encodeCallRequest(request: CallRequest): Buffer {
  if (request.kind === 'hello') return requests.encode({ hello: { ...request.hello, protocolVersion } });
  const { id, method, body } = request;
  return requests.encode({ id, method, body });
}

/** @throws Error when it is no message of the protocol */
export function decodeCallRequest(bytes: Buffer): CallRequest {
  const { hello, id = 0, method = '', body } = requests.decode(bytes);
  if (hello) return { kind: 'hello', hello: checkedHello(hello) };
  return { kind: 'call', id, method, body: plainBytes(body ?? noBytes) };
}

export function encodeCallReply(reply: CallReply): Buffer {
  const { id } = reply;
  return replies.encode(reply.kind === 'body' ? { id, body: reply.body } : { id, failure: reply.failure });
}

/** @throws Error when it is no message of the protocol */
export function decodeCallReply(bytes: Buffer): CallReply {
  const { id, body, failure } = replies.decode(bytes);
  if (failure !== undefined) return { kind: 'failure', id, failure };
  return { kind: 'body', id, body: plainBytes(body ?? noBytes) };
}

function checkedHello(hello: HelloMessage | null | undefined): PeerHello {
  if (!hello) throw new WireError('no hello');
  if (hello.protocolVersion !== protocolVersion) {
    throw new WireError(`protocol version ${hello.protocolVersion} instead of ${protocolVersion}`);
  }
  return { clusterId: hello.clusterId, from: hello.from, to: hello.to };
}
