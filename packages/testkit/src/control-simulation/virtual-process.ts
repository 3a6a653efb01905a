import type { Timers } from '@holdfast/engine';
import type { QueuedEvent } from './event-queue.ts';
import type { VirtualTime } from './virtual-time.ts';

const wallStartUnixMs = 1_700_000_000_000;

/**
 * One life of a node's process: its clocks, which run at a speed of their own, and its being paused or dead. What falls
 * due while it is paused happens at its end, all at once; what falls due after its death never does.
 */
export class VirtualProcess implements Timers {
  readonly name: string;
  readonly #time: VirtualTime;
  isAlive = true;
  pausedUntilMs = Number.NEGATIVE_INFINITY;
  resumedAtMs = Number.NEGATIVE_INFINITY;
  /** Waits for the end of the pause. */
  readonly held: QueuedEvent[] = [];
  #rate: number;
  #sinceMs: number;
  #monotonicMs: number;
  #wallOffsetMs = 0;

  constructor(name: string, time: VirtualTime, rate: number, monotonicMs: number) {
    this.name = name;
    this.#time = time;
    this.#rate = rate;
    this.#sinceMs = time.nowMs;
    this.#monotonicMs = monotonicMs;
  }

  get isPaused(): boolean {
    return this.pausedUntilMs > this.#time.nowMs;
  }

  /** Neither dead, nor paused now or until just before: what it does, it does in time. */
  isPrompt(withinMs: number): boolean {
    return this.isAlive && !this.isPaused && this.#time.nowMs - this.resumedAtMs > withinMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs + (this.#time.nowMs - this.#sinceMs) * this.#rate;
  }

  wallUnixMs(): number {
    return wallStartUnixMs + this.#time.nowMs + this.#wallOffsetMs;
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const event = this.#time.schedule(Math.max(0, delayMs) / this.#rate, this, 'timer', 'timer', fn);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Something reaches this process, `delayMs` of the world's time from now. */
  receive(delayMs: number, name: string, fn: () => void): QueuedEvent {
    return this.#time.schedule(delayMs, this, 'io', name, fn);
  }

  /** From now on the monotonic clock runs at this speed; timers that are set keep their moment. */
  setRate(rate: number): void {
    this.#monotonicMs = this.monotonicMs();
    this.#sinceMs = this.#time.nowMs;
    this.#rate = rate;
  }

  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** As by SIGSTOP, or a busy event loop: the clocks go on. */
  pause(durationMs: number): void {
    const untilMs = this.#time.nowMs + durationMs;
    if (untilMs <= this.pausedUntilMs) return;
    this.pausedUntilMs = untilMs;
    this.#time.schedule(durationMs, null, 'io', 'resume', () => {
      if (this.pausedUntilMs === untilMs) this.#time.resume(this);
    });
  }
}
