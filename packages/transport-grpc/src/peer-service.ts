import {
  Metadata,
  type ServerReadableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { PeerHandlers } from '@holdfast/engine';
import { errorText, type NodeId, nodeId } from '@holdfast/model';
import { decodeMessage, type RaftMessage } from '@holdfast/raft';
import { statusText, WireError } from './errors.ts';
import { type CallsCall, IncomingCalls } from './incoming-calls.ts';
import type { TransportLimits } from './limits.ts';
import { decodeRaftBatch, type PeerHello, raftDone } from './peer-codec.ts';
import { plainBytes } from './plain-bytes.ts';
import { certifiedNames } from './tls.ts';

export interface PeerServiceOptions {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  /** Whether peers must have certificates, which name them. */
  readonly withTls: boolean;
  readonly limits: TransportLimits;
  readonly handlers: PeerHandlers;
}

type RaftCall = ServerReadableStream<Buffer, Buffer>;

/** The Peers service: checks who speaks, decodes, and hands over. */
export class PeerService {
  readonly #options: PeerServiceOptions;
  readonly #streams = new Set<(code: status, reason: string) => void>();
  readonly #calls = new Set<IncomingCalls>();

  constructor(options: PeerServiceOptions) {
    this.#options = options;
  }

  get implementation(): UntypedServiceImplementation {
    return {
      Raft: (call: RaftCall, answer: sendUnaryData<Buffer>) => this.#raft(call, answer),
      Calls: (call: CallsCall) => this.#incoming(call),
    };
  }

  /** Ends all streams; they have no end of their own. */
  shutDown(): void {
    for (const calls of [...this.#calls]) calls.end(status.UNAVAILABLE, 'the node shuts down');
    for (const end of [...this.#streams]) end(status.UNAVAILABLE, 'the node shuts down');
  }

  #raft(call: RaftCall, answer: sendUnaryData<Buffer>): void {
    const { limits, handlers } = this.#options;
    let from: NodeId | null = null;
    let parts: Uint8Array[] = [];
    let partBytes = 0;
    const end = (code: status, reason: string) => {
      if (!this.#streams.delete(end)) return;
      clearTimeout(helloTimer);
      if (code === status.OK) answer(null, raftDone);
      else if (code !== status.CANCELLED) answer({ code, details: statusText(reason) });
    };
    const helloTimer = setTimeout(
      () => end(status.DEADLINE_EXCEEDED, `no hello within ${limits.helloTimeoutMs} ms`),
      limits.helloTimeoutMs,
    );
    const messagesOf = (bytes: Buffer): RaftMessage[] => {
      const batch = decodeRaftBatch(bytes);
      if (batch.kind === 'hello') {
        const refusal = from === null ? this.#refusal(batch.hello, call) : 'second hello';
        if (refusal !== null) throw new HelloRefused(refusal);
        from = nodeId(batch.hello.from);
        clearTimeout(helloTimer);
        call.sendMetadata(new Metadata());
        return [];
      }
      if (from === null) throw new WireError('a batch before the hello');
      if (batch.kind === 'messages') return batch.messages.map(decodeMessage);
      partBytes += batch.bytes.length;
      if (partBytes > limits.raftMessageBytesMax) throw new WireError('a message over raftMessageBytesMax');
      parts.push(batch.bytes);
      if (!batch.last) return [];
      const whole = plainBytes(Buffer.concat(parts, partBytes));
      parts = [];
      partBytes = 0;
      return [decodeMessage(whole)];
    };
    this.#streams.add(end);
    call.on('data', (bytes: Buffer) => {
      if (!this.#streams.has(end)) return;
      let messages: RaftMessage[];
      try {
        messages = messagesOf(bytes);
      } catch (error) {
        const code = error instanceof HelloRefused ? status.FAILED_PRECONDITION : status.INVALID_ARGUMENT;
        end(code, errorText(error));
        return;
      }
      if (messages.length > 0 && from !== null) handlers.onRaft(from, messages);
    });
    call.on('end', () => end(status.OK, ''));
    call.on('cancelled', () => end(status.CANCELLED, ''));
    call.on('error', (error: Error) => end(status.INTERNAL, error.message));
  }

  #incoming(call: CallsCall): void {
    const { limits, handlers } = this.#options;
    const calls = new IncomingCalls(call, {
      limits,
      refusal: (hello) => this.#refusal(hello, call),
      onCall: async (from, method, body) => handlers.onCall(from, method, body),
      onClosed: (closed) => this.#calls.delete(closed),
    });
    this.#calls.add(calls);
  }

  #refusal(hello: PeerHello, call: Pick<RaftCall, 'getAuthContext'>): string | null {
    if (hello.clusterId !== this.#options.clusterId) {
      return `this is cluster ${this.#options.clusterId}, not ${hello.clusterId}`;
    }
    if (hello.to !== this.#options.nodeId) return `this is node ${this.#options.nodeId}, not ${hello.to}`;
    const names = this.#options.withTls ? certifiedNames(call.getAuthContext()) : [hello.from];
    if (!names.includes(hello.from)) return `the certificate does not name node ${hello.from}`;
    return null;
  }
}

class HelloRefused extends WireError {}
