import { type ClientDuplexStream, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { PeerCallError } from '@holdfast/engine';
import { asIs, paths } from './definitions.ts';
import { detailsText } from './errors.ts';
import type { TransportLimits } from './limits.ts';
import { startConnectTimer } from './name-resolver.ts';
import { type CallReply, callHeadBytesMax, decodeCallReply, encodeCallRequest, type PeerHello } from './peer-codec.ts';
import type { PeerConnection } from './peer-connection.ts';
import { SendBudget } from './send-budget.ts';

interface Waiting {
  readonly timer: NodeJS.Timeout;
  resolve(body: Uint8Array): void;
  reject(error: PeerCallError): void;
}

interface Stream {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly budget: SendBudget;
  /** It runs until the other side has accepted the stream. */
  readonly stopConnectTimer: () => void;
}

/**
 * Calls to one peer, over one stream that the first of them opens. When it ends, all that wait for an answer fail, and
 * the next call opens another. Each call has its own time.
 */
export class CallLane {
  readonly #connection: PeerConnection;
  readonly #hello: PeerHello;
  readonly #limits: TransportLimits;
  readonly #waiting = new Map<number, Waiting>();
  #stream: Stream | null = null;
  #lastId = 0;
  #closed = false;

  constructor(connection: PeerConnection, hello: PeerHello, limits: TransportLimits) {
    this.#connection = connection;
    this.#hello = hello;
    this.#limits = limits;
  }

  /** @throws PeerCallError UNREACHABLE, DEADLINE, FAILED */
  call(method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const { callsUnderWayMax, frameBytesMax } = this.#limits;
      if (this.#closed) return reject(closedHere());
      if (this.#waiting.size >= callsUnderWayMax) {
        return reject(new PeerCallError('FAILED', `${callsUnderWayMax} calls wait for their answers already`));
      }
      if (body.length + callHeadBytesMax > frameBytesMax) {
        return reject(new PeerCallError('FAILED', `a call of ${body.length} bytes is over frameBytesMax`));
      }
      const id = ++this.#lastId;
      // Not gRPC's own deadline: that is a point of wall-clock time, and the wall clock may jump.
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new PeerCallError('DEADLINE', `no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { timer, resolve, reject });
      this.#stream ??= this.#open();
      this.#write(this.#stream, encodeCallRequest({ kind: 'call', id, method, body }));
    });
  }

  close(): void {
    this.#closed = true;
    this.#drop(closedHere());
  }

  #open(): Stream {
    const { connectTimeoutMs, sendHighWaterBytes, sendBufferBytesMax } = this.#limits;
    const { client, address } = this.#connection;
    const call = client.makeBidiStreamRequest(paths.calls, asIs, asIs, new Metadata(), {});
    const isMine = () => call === this.#stream?.call;
    const stream: Stream = {
      call,
      budget: new SendBudget(sendHighWaterBytes, sendBufferBytesMax),
      stopConnectTimer: startConnectTimer(address, connectTimeoutMs, () => {
        if (!isMine()) return;
        this.#connection.renew(client);
        this.#drop(new PeerCallError('UNREACHABLE', `not accepted within ${connectTimeoutMs} ms`));
      }),
    };
    const onEnd = (code: number | undefined, details: string | undefined): void => {
      if (!isMine()) return;
      if (code === status.FAILED_PRECONDITION) this.#connection.refused(client);
      this.#drop(endError(code, details));
    };
    call.on('metadata', stream.stopConnectTimer);
    call.on('data', (bytes: Buffer) => {
      if (isMine()) this.#onReply(bytes);
    });
    call.on('error', (error: Error & Partial<StatusObject>) => onEnd(error.code, error.details));
    call.on('status', ({ code, details }: StatusObject) => onEnd(code, details));
    this.#write(stream, encodeCallRequest({ kind: 'hello', hello: this.#hello }));
    return stream;
  }

  #write({ call, budget }: Stream, bytes: Buffer): void {
    budget.take(bytes.length);
    call.write(bytes, () => budget.release(bytes.length));
    // What timed out still waits to be sent.
    if (budget.exceeded) this.#drop(new PeerCallError('UNREACHABLE', `${budget.bytes} bytes wait to be sent`));
  }

  #onReply(bytes: Buffer): void {
    let reply: CallReply;
    try {
      reply = decodeCallReply(bytes);
    } catch (cause) {
      this.#drop(new PeerCallError('FAILED', 'the answer can not be read', { cause }));
      return;
    }
    // An answer that comes too late is nobody's.
    const waiting = this.#take(reply.id);
    if (reply.kind === 'body') waiting?.resolve(reply.body);
    else waiting?.reject(new PeerCallError('FAILED', detailsText(reply.failure)));
  }

  /** Lets go of the stream, and of all that wait for answers on it. */
  #drop(error: PeerCallError): void {
    const stream = this.#stream;
    this.#stream = null;
    for (const id of [...this.#waiting.keys()]) this.#take(id)!.reject(error);
    if (stream === null) return;
    stream.stopConnectTimer();
    stream.call.cancel();
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}

function endError(code: number | undefined, details: string | undefined): PeerCallError {
  const isOurs = code === status.INVALID_ARGUMENT || code === status.RESOURCE_EXHAUSTED;
  const text = code === status.OK ? 'the other side has ended the stream' : detailsText(details);
  // Also FAILED_PRECONDITION: another node or cluster lives at the address; ours is not to be reached there.
  return new PeerCallError(isOurs ? 'FAILED' : 'UNREACHABLE', text);
}

function closedHere(): PeerCallError {
  return new PeerCallError('UNREACHABLE', 'the connection is closed here');
}
