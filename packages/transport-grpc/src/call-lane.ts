import { type Client, type ClientDuplexStream, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { PeerCallError } from '@holdfast/engine';
import { asIs, paths } from './definitions.ts';
import { detailsText } from './errors.ts';
import type { TransportLimits } from './limits.ts';
import { type CallReply, decodeCallReply, encodeCallRequest, type PeerHello } from './peer-codec.ts';

interface Waiting {
  readonly timer: NodeJS.Timeout;
  resolve(body: Uint8Array): void;
  reject(error: PeerCallError): void;
}

type Stream = ClientDuplexStream<Buffer, Buffer>;

/** Of a message, beside its body: id, method, and what encoding adds. */
const headBytesMax = 256;

/**
 * Calls to one peer, over one stream that the first of them opens. When it ends, all that wait for an answer fail, and
 * the next call opens another. Each call has its own time.
 */
export class CallLane {
  readonly #client: Client;
  readonly #hello: PeerHello;
  readonly #limits: TransportLimits;
  readonly #waiting = new Map<number, Waiting>();
  #stream: Stream | null = null;
  #lastId = 0;
  #closed = false;

  constructor(client: Client, hello: PeerHello, limits: TransportLimits) {
    this.#client = client;
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
      if (body.length + headBytesMax > frameBytesMax) {
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
      this.#stream.write(encodeCallRequest({ kind: 'call', id, method, body }));
    });
  }

  close(): void {
    this.#closed = true;
    const stream = this.#stream;
    this.#stream = null;
    this.#failAll(closedHere());
    stream?.cancel();
  }

  #open(): Stream {
    const stream: Stream = this.#client.makeBidiStreamRequest(paths.calls, asIs, asIs, new Metadata(), {});
    stream.on('data', (bytes: Buffer) => {
      if (stream === this.#stream) this.#onReply(stream, bytes);
    });
    stream.on('error', (error: Error & Partial<StatusObject>) => this.#onEnd(stream, error.code, error.details));
    stream.on('status', ({ code, details }: StatusObject) => this.#onEnd(stream, code, details));
    stream.write(encodeCallRequest({ kind: 'hello', hello: this.#hello }));
    return stream;
  }

  #onReply(stream: Stream, bytes: Buffer): void {
    let reply: CallReply;
    try {
      reply = decodeCallReply(bytes);
    } catch (cause) {
      this.#stream = null;
      this.#failAll(new PeerCallError('FAILED', 'the answer can not be read', { cause }));
      stream.cancel();
      return;
    }
    // An answer that comes too late is nobody's.
    const waiting = this.#take(reply.id);
    if (reply.kind === 'body') waiting?.resolve(reply.body);
    else waiting?.reject(new PeerCallError('FAILED', detailsText(reply.failure)));
  }

  #onEnd(stream: Stream, code: number | undefined, details: string | undefined): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    // FAILED_PRECONDITION: another node or cluster lives at the address; ours is not to be reached there.
    const isOurs = code === status.INVALID_ARGUMENT || code === status.RESOURCE_EXHAUSTED;
    const text = code === status.OK ? 'the other side has ended the stream' : detailsText(details);
    this.#failAll(new PeerCallError(isOurs ? 'FAILED' : 'UNREACHABLE', text));
  }

  #failAll(error: PeerCallError): void {
    for (const id of [...this.#waiting.keys()]) this.#take(id)!.reject(error);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}

function closedHere(): PeerCallError {
  return new PeerCallError('UNREACHABLE', 'the connection is closed here');
}
