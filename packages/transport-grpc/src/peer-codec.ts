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
  readonly method: string;
  readonly body: Uint8Array;
}

/** Messages of a Raft stream, encoded RaftMessages inside. */
export type RaftBatch =
  | { readonly kind: 'hello'; readonly hello: PeerHello }
  | { readonly kind: 'messages'; readonly messages: readonly Uint8Array[] }
  | { readonly kind: 'part'; readonly bytes: Uint8Array; readonly last: boolean };

const batches = codecOf<RaftBatchMessage>('Peers', 'Raft', 'request');
const done = codecOf<object>('Peers', 'Raft', 'response');
const requests = codecOf<CallRequestMessage>('Peers', 'Call', 'request');
const replies = codecOf<{ body: Uint8Array }>('Peers', 'Call', 'response');

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

export function encodeCall(hello: PeerHello, method: string, body: Uint8Array): Buffer {
  return requests.encode({ hello: { ...hello, protocolVersion }, method, body });
}

/** @throws Error when it is no message of the protocol */
export function decodeCall(bytes: Buffer): { hello: PeerHello; method: string; body: Uint8Array } {
  const { hello, method, body } = requests.decode(bytes);
  return { hello: checkedHello(hello), method, body: plainBytes(body) };
}

export function encodeCallReply(body: Uint8Array): Buffer {
  return replies.encode({ body });
}

export function decodeCallReply(bytes: Buffer): Uint8Array {
  return plainBytes(replies.decode(bytes).body);
}

function checkedHello(hello: HelloMessage | null | undefined): PeerHello {
  if (!hello) throw new WireError('no hello');
  if (hello.protocolVersion !== protocolVersion) {
    throw new WireError(`protocol version ${hello.protocolVersion} instead of ${protocolVersion}`);
  }
  return { clusterId: hello.clusterId, from: hello.from, to: hello.to };
}
