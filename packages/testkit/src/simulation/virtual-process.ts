import type { Timers } from '@holdfast/engine';
import type { QueuedEvent } from './event-queue.ts';
import type { VirtualTime } from './virtual-time.ts';

const wallStartUnixMs = 1_700_000_000_000;

/**
 * One life of a node's process, or of a thread of it: its clocks, which run at a speed of their own, and its being paused
 * or dead. What falls due while it is paused happens at its end, all at once; what falls due after its death never does.
 * What is done to a process is done to its threads.
 */
export class VirtualProcess implements Timers {
  readonly name: string;
  readonly #time: VirtualTime;
  isAlive = true;
  pausedUntilMs = Number.NEGATIVE_INFINITY;
  resumedAtMs = Number.NEGATIVE_INFINITY;
  /** Waits for the end of the pause. */
  readonly held: QueuedEvent[] = [];
  readonly #threads = new Set<VirtualProcess>();
  #rate: number;
  #sinceMs: number;
  #monotonicMs: number;
  /** Of the speed before. */
  #before: { readonly rate: number; readonly sinceMs: number; readonly monotonicMs: number } | null = null;
  #wallOffsetMs = 0;

  constructor(name: string, time: VirtualTime, rate: number, monotonicMs: number) {
    this.name = name;
    this.#time = time;
    this.#rate = rate;
    this.#sinceMs = time.nowMs;
    this.#monotonicMs = monotonicMs;
  }

  /** Another thread: paused and ended with the process, or alone. */
  newThread(name: string): VirtualProcess {
    const thread = new VirtualProcess(`${this.name}/${name}`, this.#time, this.#rate, this.monotonicMs());
    thread.#wallOffsetMs = this.#wallOffsetMs;
    if (this.isPaused) thread.pause(this.pausedUntilMs - this.#time.nowMs);
    for (const other of this.#threads) if (!other.isAlive) this.#threads.delete(other);
    this.#threads.add(thread);
    return thread;
  }

  /** Nothing of it runs any more. */
  die(): void {
    this.isAlive = false;
    for (const thread of this.#threads) thread.die();
    this.#threads.clear();
  }

  get isPaused(): boolean {
    return this.pausedUntilMs > this.#time.nowMs;
  }

  /** Neither dead, nor paused now or until just before: what it does, it does in time. */
  isPrompt(withinMs: number): boolean {
    return this.isAlive && !this.isPaused && this.#time.nowMs - this.resumedAtMs > withinMs;
  }

  /** The world's time. */
  get worldMs(): number {
    return this.#time.nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs + (this.#time.nowMs - this.#sinceMs) * this.#rate;
  }

  /** The world's time at which the monotonic clock showed that, if that was not two changes of its speed ago. */
  worldMsOf(monotonicMs: number): number {
    const now = { rate: this.#rate, sinceMs: this.#sinceMs, monotonicMs: this.#monotonicMs };
    const then = monotonicMs < now.monotonicMs ? (this.#before ?? now) : now;
    return then.sinceMs + (monotonicMs - then.monotonicMs) / then.rate;
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
    this.#before = { rate: this.#rate, sinceMs: this.#sinceMs, monotonicMs: this.#monotonicMs };
    this.#monotonicMs = this.monotonicMs();
    this.#sinceMs = this.#time.nowMs;
    this.#rate = rate;
    for (const thread of this.#threads) thread.setRate(rate);
  }

  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
    for (const thread of this.#threads) thread.jumpWallClock(byMs);
  }

  /** As by SIGSTOP, or a busy event loop: the clocks go on. */
  pause(durationMs: number): void {
    for (const thread of this.#threads) thread.pause(durationMs);
    const untilMs = this.#time.nowMs + durationMs;
    if (untilMs <= this.pausedUntilMs) return;
    this.pausedUntilMs = untilMs;
    this.#time.schedule(durationMs, null, 'io', 'resume', () => {
      if (this.pausedUntilMs === untilMs) this.#time.resume(this);
    });
  }

  /** Ends a pause early. */
  resume(): void {
    for (const thread of this.#threads) thread.resume();
    if (this.isPaused) this.#time.resume(this);
  }
}
