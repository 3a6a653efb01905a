import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { errorText, type NodeId, nodeId } from '@holdfast/model';
import { endServed } from './end-served.ts';
import { statusText } from './errors.ts';
import type { TransportLimits } from './limits.ts';
import {
  type CallReply,
  type CallRequest,
  callHeadBytesMax,
  decodeCallRequest,
  encodeCallReply,
  type PeerHello,
} from './peer-codec.ts';
import { SendBudget } from './send-budget.ts';

export type CallsCall = ServerDuplexStream<Buffer, Buffer>;

export interface IncomingCallsOptions {
  readonly limits: TransportLimits;
  /** Why this hello isn't taken; null when it is. */
  readonly refusal: (hello: PeerHello) => string | null;
  readonly onCall: (from: NodeId, method: string, body: Uint8Array) => Promise<Uint8Array>;
  readonly onClosed: (stream: IncomingCalls) => void;
}

/** The answering end of a stream of calls: hello, then questions, each answered when its answer is there. Ends once. */
export class IncomingCalls {
  readonly #call: CallsCall;
  readonly #options: IncomingCallsOptions;
  readonly #budget: SendBudget;
  readonly #helloTimer: NodeJS.Timeout;
  #from: NodeId | null = null;
  #underWay = 0;
  #ended = false;

  constructor(call: CallsCall, options: IncomingCallsOptions) {
    this.#call = call;
    this.#options = options;
    const { helloTimeoutMs, sendHighWaterBytes, sendBufferBytesMax } = options.limits;
    this.#budget = new SendBudget(sendHighWaterBytes, sendBufferBytesMax);
    this.#helloTimer = setTimeout(
      () => this.end(status.DEADLINE_EXCEEDED, `no hello within ${helloTimeoutMs} ms`),
      helloTimeoutMs,
    );
    call.on('data', (bytes: Buffer) => this.#onMessage(bytes));
    call.on('end', () => this.end(status.OK, ''));
    call.on('cancelled', () => this.end(status.CANCELLED, ''));
    call.on('error', (error: Error) => this.end(status.INTERNAL, error.message));
  }

  end(code: status, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#helloTimer);
    endServed(this.#call, code, reason);
    this.#options.onClosed(this);
  }

  #onMessage(bytes: Buffer): void {
    if (this.#ended) return;
    let request: CallRequest;
    try {
      request = decodeCallRequest(bytes);
    } catch (error) {
      this.end(status.INVALID_ARGUMENT, errorText(error));
      return;
    }
    if (request.kind === 'hello') this.#onHello(request.hello);
    else if (this.#from === null) this.end(status.INVALID_ARGUMENT, 'a call before the hello');
    else void this.#answer(this.#from, request);
  }

  #onHello(hello: PeerHello): void {
    const refusal = this.#from === null ? this.#options.refusal(hello) : 'second hello';
    if (refusal !== null) {
      this.end(status.FAILED_PRECONDITION, refusal);
      return;
    }
    this.#from = nodeId(hello.from);
    clearTimeout(this.#helloTimer);
    this.#call.sendMetadata(new Metadata());
  }

  async #answer(from: NodeId, { id, method, body }: CallRequest & { kind: 'call' }): Promise<void> {
    const { limits, onCall } = this.#options;
    if (this.#underWay >= limits.callsUnderWayMax) {
      this.#reply({ kind: 'failure', id, failure: `${limits.callsUnderWayMax} calls are under way already` });
      return;
    }
    this.#underWay++;
    try {
      this.#reply({ kind: 'body', id, body: await onCall(from, method, body) });
    } catch (error) {
      this.#reply({ kind: 'failure', id, failure: statusText(errorText(error)) });
    } finally {
      this.#underWay--;
    }
  }

  #reply(reply: CallReply): void {
    if (this.#ended) return;
    const { frameBytesMax } = this.#options.limits;
    const isTooLarge = reply.kind === 'body' && reply.body.length + callHeadBytesMax > frameBytesMax;
    const failure = 'the answer is over frameBytesMax';
    const bytes = encodeCallReply(isTooLarge ? { kind: 'failure', id: reply.id, failure } : reply);
    this.#budget.take(bytes.length);
    this.#call.write(bytes, () => this.#budget.release(bytes.length));
    if (this.#budget.exceeded) this.end(status.RESOURCE_EXHAUSTED, 'answers are not read');
  }
}
