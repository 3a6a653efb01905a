import type { FrameReceiver, FrameReceiverEvents, FrameSender, FrameSenderEvents } from '@holdfast/engine';
import type { Frame, Return, StreamId } from '@holdfast/processor';
import type { Link, MemoryNetwork } from './memory-network.ts';
import { MemoryPipe } from './memory-pipe.ts';

/** A transport, as its streams see it. */
export interface StreamSide {
  readonly site: string;
  readonly clusterId: string;
  /** The events of an arriving stream, or why it is refused. */
  accept(stream: StreamId, clusterId: string, receiver: FrameReceiver): FrameReceiverEvents | string;
  addStream(stream: MemoryStream): void;
  removeStream(stream: MemoryStream): void;
}

type Forward =
  | { readonly kind: 'open' }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'end'; readonly reason: string };
type Backward =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'return'; readonly message: Return }
  | { readonly kind: 'end'; readonly reason: string };

/** What one end's user is told: anything while it lives, then `onEnd` once, in a turn of its own. */
class StreamEnd<Events extends { onEnd(reason: string): void }> {
  readonly #network: MemoryNetwork;
  readonly #onOver: () => void;
  events: Events | null = null;
  #ending = false;
  #tellClosed: () => void = () => {};
  /** Resolves once the user has been told. */
  readonly over: Promise<void>;
  isOver = false;

  constructor(network: MemoryNetwork, onOver: () => void) {
    this.#network = network;
    this.#onOver = onOver;
    this.over = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  /** The events, while anything but the end may be told. */
  get live(): Events | null {
    return this.#ending ? null : this.events;
  }

  end(reason: string): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#network.time.setTimer(0, () => {
      this.events?.onEnd(reason);
      this.forget();
    });
  }

  /** Ends it without telling. */
  forget(): void {
    this.#ending = true;
    this.events = null;
    this.isOver = true;
    this.#tellClosed();
    this.#onOver();
  }
}

/** Both ends of one stream, and the pipes between them. */
export class MemoryStream implements FrameSender, Link {
  readonly from: string;
  readonly to: string;
  readonly #network: MemoryNetwork;
  readonly #source: StreamSide;
  readonly #target: StreamSide | null;
  readonly #id: StreamId;
  readonly #highWaterBytes: number;
  readonly #forward: MemoryPipe<Forward>;
  readonly #backward: MemoryPipe<Backward>;
  readonly #sender: StreamEnd<FrameSenderEvents>;
  readonly #receiver: StreamEnd<FrameReceiverEvents>;
  readonly #cancelConnect: () => void;
  #crashed = false;
  /** What is sent now goes nowhere: else it would arrive behind what the break has swallowed. */
  #severed = false;
  #full = false;

  constructor(
    network: MemoryNetwork,
    source: StreamSide,
    target: StreamSide | null,
    id: StreamId,
    events: FrameSenderEvents,
    highWaterBytes: number,
  ) {
    this.#network = network;
    this.#source = source;
    this.#target = target;
    this.#id = id;
    this.#highWaterBytes = highWaterBytes;
    this.from = source.site;
    this.to = target?.site ?? '';
    this.#forward = new MemoryPipe(network, this.from, this.to, (item) => this.#onForward(item));
    this.#backward = new MemoryPipe(network, this.to, this.from, (item) => this.#onBackward(item));
    this.#sender = new StreamEnd(network, () => this.#onOver(source));
    this.#sender.events = events;
    this.#receiver = new StreamEnd(network, () => this.#onOver(target));
    network.addLink(this);
    source.addStream(this);
    this.#forward.push({ kind: 'open' });
    this.#cancelConnect = network.time.setTimer(network.faults.noticeMs, () => {
      this.#closeSender('UNAVAILABLE: no answer');
    });
  }

  send(frame: Frame): boolean {
    if (this.#sender.live === null) return false;
    if (this.#severed) return !this.#full;
    this.#forward.push({ kind: 'frame', frame: { ...frame, block: frame.block.slice() } }, frame.block.length);
    if (this.#network.draw(this.#network.faults.streamBreakRatio)) this.sever('connection reset');
    if (this.#forward.bytes >= this.#highWaterBytes) this.#full = true;
    return !this.#full;
  }

  close(): void {
    this.#closeSender('closed by the sender');
  }

  /** The transport of that side closes. Resolves once its user has been told. */
  closeSide(side: StreamSide): Promise<void> {
    if (side === this.#source && !this.#sender.isOver) this.close();
    else if (side === this.#target) this.#closeReceiver('UNAVAILABLE: the receiver shuts down');
    return side === this.#source ? this.#sender.over : this.#receiver.over;
  }

  /** The process of that side is gone: nothing is told there any more. */
  crash(side: StreamSide): void {
    this.#crashed = true;
    if (side === this.#source) this.#sender.forget();
    if (side === this.#target) this.#receiver.forget();
  }

  sever(reason: string): void {
    if (this.#severed) return;
    this.#severed = true;
    this.#dropSome();
    this.#network.time.setTimer(this.#network.drawDelayMs(), () => this.#sender.end(`UNAVAILABLE: ${reason}`));
    this.#network.time.setTimer(this.#network.drawDelayMs(), () => this.#receiver.end(reason));
  }

  resume(): void {
    this.#forward.resume();
    this.#backward.resume();
    if (this.#crashed) this.sever('connection reset');
  }

  #onForward(item: Forward): void {
    if (item.kind === 'frame') this.#receiver.live?.onFrame(item.frame);
    else if (item.kind === 'end') this.#receiver.end(item.reason);
    else this.#onOpenArrived();
    if (this.#full && this.#forward.bytes <= this.#highWaterBytes / 2) {
      this.#full = false;
      this.#sender.live?.onDrain();
    }
  }

  #onOpenArrived(): void {
    // Broken before it arrived: nobody there could be told of its end any more.
    if (this.#receiver.isOver) return;
    const receiver: FrameReceiver = {
      reply: (message) => this.#reply(message),
      close: (reason) => this.#closeReceiver(`ABORTED: ${reason}`),
    };
    const answer =
      this.#crashed || this.#target === null
        ? 'UNAVAILABLE: nobody listens'
        : this.#target.accept(this.#id, this.#source.clusterId, receiver);
    if (typeof answer === 'string') {
      this.#backward.push({ kind: 'end', reason: answer });
      this.#forward.clear();
      this.#receiver.forget();
      return;
    }
    this.#receiver.events = answer;
    this.#target?.addStream(this);
    this.#backward.push({ kind: 'accepted' });
  }

  #onBackward(item: Backward): void {
    if (item.kind === 'return') this.#sender.live?.onReturn(item.message);
    else if (item.kind === 'end') this.#sender.end(item.reason);
    else {
      this.#cancelConnect();
      this.#sender.live?.onAccepted();
    }
  }

  #reply(message: Return): void {
    if (this.#receiver.live === null || this.#severed) return;
    this.#backward.push({ kind: 'return', message });
    if (this.#network.draw(this.#network.faults.streamBreakRatio)) this.sever('connection reset');
  }

  /** Some of what is under way may still arrive, then the end. */
  #closeSender(reason: string): void {
    if (this.#sender.live === null) return;
    this.#sender.end(reason);
    this.#dropSome();
    this.#forward.push({ kind: 'end', reason: 'the stream broke, or the sender closed it' });
  }

  #closeReceiver(toSender: string): void {
    this.#receiver.end('closed by the receiver');
    this.#dropSome();
    this.#backward.push({ kind: 'end', reason: toSender });
  }

  #dropSome(): void {
    this.#forward.truncate(this.#network.drawBelow(this.#forward.count + 1));
    this.#backward.truncate(this.#network.drawBelow(this.#backward.count + 1));
  }

  #onOver(side: StreamSide | null): void {
    if (side === this.#source) this.#cancelConnect();
    side?.removeStream(this);
    if (this.#sender.isOver && this.#receiver.isOver) this.#network.removeLink(this);
  }
}
