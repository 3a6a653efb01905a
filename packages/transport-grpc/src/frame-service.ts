import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { FrameReceiver, FrameReceiverEvents } from '@holdfast/engine';
import { errorText, type NodeId, type SessionId, type ShardRef } from '@holdfast/model';
import type { Return, StreamId } from '@holdfast/processor';
import { endServed } from './end-served.ts';
import { decodeFrameMessage, encodeReturn, type Hello } from './frame-codec.ts';
import type { TransportLimits } from './limits.ts';
import { SendBudget } from './send-budget.ts';
import { widenConnectionWindow } from './server-host.ts';
import { certifiedNames } from './tls.ts';

export type FrameCall = ServerDuplexStream<Buffer, Buffer>;

export interface FrameServiceOptions {
  readonly clusterId: string;
  /** Who is served here; null while there is no session. */
  readonly localShard: () => ShardRef | null;
  /** With TLS: the node of a session, whom the sender's certificate must name; null where it isn't known. */
  readonly nodeOf: ((session: SessionId) => NodeId | null) | null;
  readonly limits: TransportLimits;
  readonly onOpen: (stream: StreamId, receiver: FrameReceiver) => FrameReceiverEvents;
  readonly onClosed: (receiver: IncomingFrameStream) => void;
}

/** The receiving end of one stream: hello, then frames. Ends once. */
export class IncomingFrameStream implements FrameReceiver {
  readonly #call: FrameCall;
  readonly #options: FrameServiceOptions;
  readonly #budget: SendBudget;
  readonly #helloTimer: NodeJS.Timeout;
  #events: FrameReceiverEvents | null = null;
  #ended = false;

  constructor(call: FrameCall, options: FrameServiceOptions) {
    this.#call = call;
    this.#options = options;
    const { limits } = options;
    this.#budget = new SendBudget(limits.sendHighWaterBytes, limits.sendBufferBytesMax);
    widenConnectionWindow(call, limits.receiveWindowBytes);
    this.#helloTimer = setTimeout(
      () => this.#end(status.DEADLINE_EXCEEDED, `no hello within ${limits.helloTimeoutMs} ms`),
      limits.helloTimeoutMs,
    );
    call.on('data', (bytes: Buffer) => this.#onMessage(bytes));
    call.on('end', () => this.#end(status.OK, 'closed by the sender'));
    call.on('cancelled', () => this.#end(status.CANCELLED, 'the stream broke, or the sender closed it'));
    call.on('error', (error: Error) => this.#end(status.INTERNAL, error.message));
  }

  reply(message: Return): void {
    if (this.#ended) return;
    const bytes = encodeReturn(message);
    this.#budget.take(bytes.length);
    this.#call.write(bytes, () => this.#budget.release(bytes.length));
    if (this.#budget.exceeded) this.#end(status.RESOURCE_EXHAUSTED, 'returns are not read');
  }

  close(reason: string): void {
    this.#end(status.ABORTED, reason);
  }

  /** The server stops. */
  shutDown(): void {
    this.#end(status.UNAVAILABLE, 'the receiver shuts down');
  }

  #onMessage(bytes: Buffer): void {
    if (this.#ended) return;
    let message: ReturnType<typeof decodeFrameMessage>;
    try {
      message = decodeFrameMessage(bytes);
    } catch (error) {
      this.#end(status.INVALID_ARGUMENT, `bad message: ${errorText(error)}`);
      return;
    }
    if (message.kind === 'hello') this.#onHello(message.hello);
    else if (this.#events === null) this.#end(status.INVALID_ARGUMENT, 'frame before hello');
    else this.#events.onFrame(message.frame);
  }

  #onHello(hello: Hello): void {
    const local = this.#options.localShard();
    const { from, to } = hello.stream;
    if (this.#events !== null) this.#end(status.INVALID_ARGUMENT, 'second hello');
    else if (hello.clusterId !== this.#options.clusterId) {
      this.#end(status.FAILED_PRECONDITION, `cluster ${hello.clusterId} is not served here`);
    } else if (local === null) this.#end(status.UNAVAILABLE, 'no session yet');
    else if (to.session !== local.session || to.shard !== local.shard) {
      this.#end(status.FAILED_PRECONDITION, `session ${to.session} shard ${to.shard} is not served here`);
    } else if (!this.#isCertified(from)) {
      const reason = `session ${from.session} is not known here, or of a node that the certificate does not name`;
      this.#end(status.PERMISSION_DENIED, reason);
    } else {
      clearTimeout(this.#helloTimer);
      this.#events = this.#options.onOpen(hello.stream, this);
      // The listener may have closed the stream before it could hand over its events.
      if (this.#ended) this.#tellEnd(this.#events, 'closed by the receiver');
      // Tells the sender that it has been accepted.
      else this.#call.sendMetadata(new Metadata());
    }
  }

  /** Whether the sender may speak for that shard. Says nothing of sessions that the sender hasn't said. */
  #isCertified({ session }: ShardRef): boolean {
    const { nodeOf } = this.#options;
    if (nodeOf === null) return true;
    const node = nodeOf(session);
    return node !== null && certifiedNames(this.#call.getAuthContext()).includes(node);
  }

  #end(code: status, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#helloTimer);
    endServed(this.#call, code, reason);
    this.#options.onClosed(this);
    if (this.#events !== null) this.#tellEnd(this.#events, reason);
  }

  #tellEnd(events: FrameReceiverEvents, reason: string): void {
    queueMicrotask(() => events.onEnd(reason));
  }
}
