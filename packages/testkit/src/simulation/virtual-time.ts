import { type Rng, randomBelow } from '@holdfast/model';
import { EventQueue, type QueuedEvent } from './event-queue.ts';
import type { Trace } from './trace.ts';
import type { VirtualProcess } from './virtual-process.ts';

const hostTurnEvery = 32;

/**
 * The one queue of a simulated world. One event at a time; all promises that it settles run before the next, so that
 * async code is as deterministic as the queue is.
 */
export class VirtualTime {
  nowMs = 0;
  eventCount = 0;
  readonly #queue = new EventQueue();
  readonly #rng: Rng;
  readonly #trace: Trace;
  #seq = 0;

  constructor(rng: Rng, trace: Trace) {
    this.#rng = rng;
    this.#trace = trace;
  }

  schedule(
    delayMs: number,
    owner: VirtualProcess | null,
    kind: QueuedEvent['kind'],
    name: string,
    fn: () => void,
  ): QueuedEvent {
    const event: QueuedEvent = {
      atMs: this.nowMs + delayMs,
      tie: this.#rng.u32(),
      seq: this.#seq++,
      owner,
      kind,
      name,
      fn,
      isCancelled: false,
    };
    this.#queue.push(event);
    return event;
  }

  /** The world does something later. */
  after(delayMs: number, name: string, fn: () => void): void {
    this.schedule(delayMs, null, 'io', name, fn);
  }

  /**
   * Runs until `untilMs`, or until `afterEvent` says that it is enough. @returns whether it said so
   */
  async run(untilMs: number, afterEvent: (event: QueuedEvent) => boolean): Promise<boolean> {
    await drained(true);
    for (let next = this.#queue.peek(); next !== undefined && next.atMs <= untilMs; next = this.#queue.peek()) {
      const event = this.#queue.pop()!;
      const { owner } = event;
      if (event.isCancelled || owner?.isAlive === false) continue;
      this.nowMs = Math.max(this.nowMs, event.atMs);
      if (owner?.isPaused) {
        owner.held.push(event);
        continue;
      }
      this.eventCount++;
      this.#trace.mix(Math.round(this.nowMs * 1000));
      this.#trace.mixName(event.name);
      if (owner !== null) this.#trace.mixName(owner.name);
      event.fn();
      if (event.kind !== 'quiet') await drained(this.eventCount % hostTurnEvery === 0);
      if (afterEvent(event)) return true;
    }
    this.nowMs = untilMs;
    return false;
  }

  /** All that a paused process has missed falls due now: timers in order and news in order, either of them first. */
  resume(process: VirtualProcess): void {
    process.pausedUntilMs = Number.NEGATIVE_INFINITY;
    process.resumedAtMs = this.nowMs;
    const timersFirst = randomBelow(this.#rng, 2) === 0;
    for (const event of process.held.splice(0)) {
      event.atMs = this.nowMs;
      event.tie = (event.kind === 'timer') === timersFirst ? 0 : 1;
      event.seq = this.#seq++;
      this.#queue.push(event);
    }
  }
}

/**
 * Every promise that can go on has gone on when the next tick begins, and when the next macrotask does. Ticks cost a
 * fifth of the time less, and macrotasks are when the host gets its turn: it tells of promises that nobody handles.
 */
function drained(isHostsTurn: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isHostsTurn) setImmediate(resolve);
    else process.nextTick(resolve);
  });
}
