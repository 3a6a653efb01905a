import type { FrameReceiver, FrameReceiverEvents, FrameSender, FrameSenderEvents } from '@holdfast/engine';
import { type Rng, randomBelow } from '@holdfast/model';
import type { Frame, Return, StreamId } from '@holdfast/processor';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import type { StreamFlight } from './checkers/stream-flights.ts';
import { StreamEnd } from './stream-end.ts';
import { type Passage, StreamPipe } from './stream-pipe.ts';

type Forward =
  | { readonly kind: 'open' }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'end'; readonly reason: string };
type Backward =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'return'; readonly message: Return }
  | { readonly kind: 'end'; readonly reason: string };

export interface StreamSettings {
  readonly time: VirtualTime;
  readonly rng: Rng;
  readonly id: StreamId;
  readonly from: { readonly nodeId: string; readonly thread: VirtualProcess };
  readonly to: { readonly nodeId: string; readonly thread: VirtualProcess };
  readonly passage: (from: string, to: string) => Passage;
  readonly highWaterBytes: number;
  /** The stream arrives. @returns the events of its receiver, or why it is refused */
  readonly accept: (id: StreamId, receiver: FrameReceiver) => FrameReceiverEvents | string;
  /** The receiver says something, whether it arrives or not. */
  readonly onReturn: (message: Return) => void;
  readonly report: (text: string) => void;
  /** Looks at what is in flight. */
  readonly flight: StreamFlight;
}

const connectMsMax = 5_000;
const breakMsMax = 300;
/** One end may hear of a break long after the other. */
const lateMsMax = 8_000;

/** One stream of frames: breaks anywhere, stalls, stays half open. */
export class SimulatedStream implements FrameSender {
  readonly settings: StreamSettings;
  readonly sender: StreamEnd<FrameSenderEvents>;
  readonly receiver: StreamEnd<FrameReceiverEvents>;
  readonly #forward: StreamPipe<Forward>;
  readonly #backward: StreamPipe<Backward>;
  readonly #cancelConnect: () => void;
  #isFull = false;
  #isSevered = false;
  /** Since when nothing could pass. */
  silentSinceMs: number | null = null;
  /** How long an end waits for a sign of life. */
  readonly noticeMs: number;

  constructor(settings: StreamSettings, events: FrameSenderEvents) {
    this.settings = settings;
    const { time, rng, from, to, passage } = settings;
    this.sender = new StreamEnd(from.thread);
    this.sender.events = events;
    this.receiver = new StreamEnd(to.thread);
    this.noticeMs = 3_000 + randomBelow(rng, 9_000);
    this.#forward = new StreamPipe({
      time,
      rng,
      thread: to.thread,
      name: 'frames',
      passage: () => passage(from.nodeId, to.nodeId),
      deliver: (item) => this.#onForward(item),
    });
    this.#backward = new StreamPipe({
      time,
      rng,
      thread: from.thread,
      name: 'returns',
      passage: () => passage(to.nodeId, from.nodeId),
      deliver: (item) => this.#onBackward(item),
    });
    this.#forward.push({ kind: 'open' });
    this.#cancelConnect = from.thread.setTimer(connectMsMax, () => this.#closeSender('UNAVAILABLE: no answer'));
  }

  get isOver(): boolean {
    return this.sender.isGone && this.receiver.isGone;
  }

  send(frame: Frame): boolean {
    if (this.sender.live === null) return false;
    if (this.#isFull) this.settings.report('I21: a frame was sent on a stream that had said no');
    this.settings.flight.sent(frame);
    this.#forward.push({ kind: 'frame', frame }, frame.block.length);
    if (this.#forward.bytes >= this.settings.highWaterBytes) this.#isFull = true;
    return !this.#isFull;
  }

  close(): void {
    this.#closeSender('closed by the sender');
  }

  /** Breaks: any part of what is under way is lost, and each end hears of it in its own time. */
  sever(reason: string, isHalfOpen = false): void {
    if (this.#isSevered) return;
    this.#isSevered = true;
    const { rng } = this.settings;
    this.#dropSome();
    this.#forward.isDead = true;
    this.#backward.isDead = true;
    const lateFirst = randomBelow(rng, 2) === 0;
    const delay = (isLate: boolean): number => 0.1 + randomBelow(rng, isLate && isHalfOpen ? lateMsMax : breakMsMax);
    this.sender.end(`UNAVAILABLE: ${reason}`, delay(lateFirst));
    this.receiver.end(reason, delay(!lateFirst));
  }

  /** The receiving end of either direction reads nothing for a while. */
  stall(untilMs: number): void {
    this.#forward.stalledUntilMs = untilMs;
    if (randomBelow(this.settings.rng, 2) === 0) this.#backward.stalledUntilMs = untilMs;
  }

  /** One end's process is gone. */
  endVanished(isHeard: boolean): void {
    if (isHeard) this.sever('connection reset');
    else {
      this.#forward.isDead = true;
      this.#backward.isDead = true;
    }
  }

  #onForward(item: Forward): void {
    if (item.kind === 'frame') this.receiver.live?.onFrame(item.frame);
    else if (item.kind === 'end') this.receiver.end(item.reason);
    else this.#onOpenArrived();
    if (this.#isFull && this.#forward.bytes <= this.settings.highWaterBytes / 2) {
      this.sender.thread.receive(0.1, 'drain', () => {
        if (!this.#isFull) return;
        this.#isFull = false;
        this.sender.live?.onDrain();
      });
    }
  }

  #onOpenArrived(): void {
    const receiver: FrameReceiver = {
      reply: (message) => {
        this.settings.onReturn(message);
        if (this.receiver.live !== null) this.#backward.push({ kind: 'return', message });
      },
      close: (reason) => this.#closeReceiver(`ABORTED: ${reason}`),
    };
    const answer = this.settings.accept(this.settings.id, receiver);
    if (typeof answer === 'string') {
      this.#backward.push({ kind: 'end', reason: answer });
      this.receiver.isOver = true;
      this.#forward.truncate(0);
      return;
    }
    this.receiver.events = answer;
    this.#backward.push({ kind: 'accepted' });
  }

  #onBackward(item: Backward): void {
    if (item.kind === 'return') {
      this.settings.flight.returned(item.message);
      this.sender.live?.onReturn(item.message);
    } else if (item.kind === 'end') this.sender.end(item.reason);
    else {
      this.#cancelConnect();
      this.sender.live?.onAccepted();
    }
  }

  #closeSender(reason: string): void {
    if (this.sender.live === null) return;
    this.#cancelConnect();
    this.sender.end(reason);
    this.#dropSome();
    this.#forward.push({ kind: 'end', reason: 'the stream broke, or the sender closed it' });
  }

  #closeReceiver(toSender: string): void {
    this.receiver.end('closed by the receiver');
    this.#dropSome();
    this.#backward.push({ kind: 'end', reason: toSender });
  }

  #dropSome(): void {
    const { rng } = this.settings;
    this.#forward.truncate(randomBelow(rng, this.#forward.count + 1));
    this.#backward.truncate(randomBelow(rng, this.#backward.count + 1));
  }
}
