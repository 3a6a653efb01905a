import { type Rng, randomRatio } from '@holdfast/model';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';

/** What the network does to something that leaves now. */
export interface Passage {
  readonly isCut: boolean;
  readonly cloggedUntilMs: number;
  readonly lossRatio: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

export interface PipeSettings<T> {
  readonly time: VirtualTime;
  readonly rng: Rng;
  /** Where it comes out. */
  readonly thread: VirtualProcess;
  readonly name: string;
  readonly passage: () => Passage;
  readonly deliver: (item: T) => void;
}

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
  dueMs: number;
}

/** What is lost on its way is sent again by the transport below. */
const resendMsMax = 600;
/** Until what a cut holds up is tried again. */
const retryMsMax = 150;

/** One direction of a stream: what goes in comes out later, in order and whole, until it is closed. */
export class StreamPipe<T> {
  readonly #settings: PipeSettings<T>;
  #queue: Waiting<T>[] = [];
  #isScheduled = false;
  /** The receiving end reads nothing until then. */
  stalledUntilMs = 0;
  /** What goes in now goes nowhere. */
  isDead = false;
  /** Bytes under way. */
  bytes = 0;

  constructor(settings: PipeSettings<T>) {
    this.#settings = settings;
  }

  get count(): number {
    return this.#queue.length;
  }

  push(item: T, bytes = 0): void {
    if (this.isDead) return;
    const { time, rng, passage } = this.#settings;
    const { cloggedUntilMs, lossRatio, delayMsMin, delayMsMax } = passage();
    let dueMs = Math.max(time.nowMs, cloggedUntilMs) + delayMsMin + randomRatio(rng) * (delayMsMax - delayMsMin);
    if (lossRatio > 0 && randomRatio(rng) < lossRatio) dueMs += 50 + randomRatio(rng) * resendMsMax;
    const last = this.#queue.at(-1)?.dueMs ?? 0;
    this.#queue.push({ item, bytes, dueMs: Math.max(dueMs, last) });
    this.bytes += bytes;
    this.#schedule();
  }

  /** Drops all but the first `kept` that are under way. */
  truncate(kept: number): void {
    for (const dropped of this.#queue.splice(kept)) this.bytes -= dropped.bytes;
  }

  #schedule(): void {
    const [first] = this.#queue;
    if (this.#isScheduled || first === undefined) return;
    this.#isScheduled = true;
    const { time, thread, name } = this.#settings;
    thread.receive(Math.max(0, first.dueMs - time.nowMs), name, () => {
      this.#isScheduled = false;
      this.#arrive();
      this.#schedule();
    });
  }

  #arrive(): void {
    const { time, rng, passage, deliver } = this.#settings;
    const [first] = this.#queue;
    if (first === undefined) return;
    if (passage().isCut || this.stalledUntilMs > time.nowMs) {
      first.dueMs = Math.max(
        time.nowMs + randomRatio(rng) * retryMsMax,
        Math.min(this.stalledUntilMs, time.nowMs + 500),
      );
      return;
    }
    while (this.#queue.length > 0 && this.#queue[0]!.dueMs <= time.nowMs) {
      const { item, bytes } = this.#queue.shift()!;
      this.bytes -= bytes;
      deliver(item);
    }
  }
}
