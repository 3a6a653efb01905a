/** The part of the engine's `Timers` that the in-memory network needs. */
export interface NetworkTime {
  monotonicMs(): number;
  /** Calls `fn` once, later, never from within this call. @returns cancels it */
  setTimer(delayMs: number, fn: () => void): () => void;
}

interface Task {
  readonly atMs: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/**
 * Time that stands still unless `pass` is called: what takes no time runs in microtasks, in the order of the calls.
 * For tests that want a network without thinking of time.
 */
export class ImmediateTime implements NetworkTime {
  #nowMs = 0;
  #waiting: Task[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const task: Task = { atMs: this.#nowMs + Math.max(0, delayMs), fn, cancelled: false };
    if (delayMs > 0) this.#waiting.push(task);
    else queueMicrotask(() => run(task));
    return () => {
      task.cancelled = true;
      this.#waiting = this.#waiting.filter((other) => other !== task);
    };
  }

  /** Lets time pass: runs what falls due, in order, and lets promises settle after each. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      run(next);
      await settle();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Task | undefined {
    let best: Task | undefined;
    // The list is in the order of the calls, which decides among equals.
    for (const task of this.#waiting)
      if (task.atMs <= endMs && (best === undefined || task.atMs < best.atMs)) best = task;
    if (best !== undefined) this.#waiting.splice(this.#waiting.indexOf(best), 1);
    return best;
  }
}

function run(task: Task): void {
  if (!task.cancelled) task.fn();
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
