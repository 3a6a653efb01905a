import { type Client, type ClientDuplexStream, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type { FrameSender, FrameSenderEvents } from '@holdfast/engine';
import { errorText } from '@holdfast/model';
import type { Frame } from '@holdfast/processor';
import { asIs, paths } from './definitions.ts';
import { detailsText } from './errors.ts';
import { decodeReturn, encodeFrame, encodeHello, type Hello } from './frame-codec.ts';
import type { TransportLimits } from './limits.ts';
import { startConnectTimer } from './name-resolver.ts';
import { SendBudget } from './send-budget.ts';

/**
 * The sending end of one stream, on a connection of its own. Ends once, whatever happens: refused, broken, closed, or
 * when its user sends on though `send` said false.
 */
export class FrameStream implements FrameSender {
  readonly #client: Client;
  readonly #events: FrameSenderEvents;
  readonly #limits: TransportLimits;
  readonly #budget: SendBudget;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #stopConnectTimer: () => void;
  readonly #onClosed: () => void;
  #ended = false;

  constructor(
    client: Client,
    /** Where the client leads. */
    address: string,
    hello: Hello,
    events: FrameSenderEvents,
    limits: TransportLimits,
    /** Called when the stream has let go of everything. */
    onClosed: () => void,
  ) {
    this.#client = client;
    this.#events = events;
    this.#limits = limits;
    this.#onClosed = onClosed;
    this.#budget = new SendBudget(limits.sendHighWaterBytes, limits.sendBufferBytesMax);
    this.#call = client.makeBidiStreamRequest(paths.frames, asIs, asIs, new Metadata(), {});
    this.#call.on('metadata', () => this.#onAccepted());
    this.#call.on('data', (bytes: Buffer) => this.#onReturn(bytes));
    // A refusal is an error first and a status then; a good end is a status only.
    this.#call.on('error', (error: Error & Partial<StatusObject>) => this.#end(describe(error.code, error.details)));
    this.#call.on('status', (ended: StatusObject) => this.#end(describe(ended.code, ended.details)));
    this.#stopConnectTimer = startConnectTimer(address, limits.connectTimeoutMs, () =>
      this.#end(`not accepted within ${limits.connectTimeoutMs} ms`),
    );
    this.#write(encodeHello(hello));
  }

  send(frame: Frame): boolean {
    if (this.#ended) return false;
    const bytes = encodeFrame(frame);
    if (bytes.length > this.#limits.frameBytesMax) {
      this.#end(`frame ${frame.number} of ${bytes.length} bytes is over frameBytesMax, ${this.#limits.frameBytesMax}`);
      return false;
    }
    const more = this.#write(bytes);
    if (!this.#budget.exceeded) return more;
    this.#end(`${this.#budget.bytes} bytes wait to be sent, over sendBufferBytesMax`);
    return false;
  }

  close(): void {
    this.#end('closed by the sender');
  }

  #write(bytes: Buffer): boolean {
    const more = this.#budget.take(bytes.length);
    this.#call.write(bytes, () => {
      if (this.#budget.release(bytes.length) && !this.#ended) this.#events.onDrain();
    });
    return more;
  }

  #onAccepted(): void {
    this.#stopConnectTimer();
    if (!this.#ended) this.#events.onAccepted();
  }

  #onReturn(bytes: Buffer): void {
    if (this.#ended) return;
    let message: ReturnType<typeof decodeReturn>;
    try {
      message = decodeReturn(bytes);
    } catch (error) {
      this.#end(`bad return: ${errorText(error)}`);
      return;
    }
    this.#events.onReturn(message);
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopConnectTimer();
    this.#call.cancel();
    this.#client.close();
    this.#onClosed();
    // Never from within a call of the stream's user.
    queueMicrotask(() => this.#events.onEnd(reason));
  }
}

function describe(code: number | undefined, details: string | undefined): string {
  if (code === status.OK) return 'closed by the receiver';
  return `${status[code ?? status.UNKNOWN] ?? code}: ${detailsText(details)}`;
}
