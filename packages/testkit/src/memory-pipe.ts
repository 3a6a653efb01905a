import type { MemoryNetwork } from './memory-network.ts';

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
  readonly atMs: number;
}

/** One direction of a connection: what goes in comes out later, in order, unless it is cut or dropped. */
export class MemoryPipe<T> {
  readonly #network: MemoryNetwork;
  readonly #from: string;
  readonly #to: string;
  readonly #deliver: (item: T) => void;
  #queue: Waiting<T>[] = [];
  #bytes = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(network: MemoryNetwork, from: string, to: string, deliver: (item: T) => void) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.#deliver = deliver;
  }

  /** Bytes under way. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#queue.length;
  }

  push(item: T, bytes = 0): void {
    const { time } = this.#network;
    const dueMs = time.monotonicMs() + this.#network.drawDelayMs();
    const lastMs = this.#queue.at(-1)?.atMs ?? 0;
    this.#queue.push({ item, bytes, atMs: Math.max(dueMs, lastMs) });
    this.#bytes += bytes;
    this.resume();
  }

  /** Drops all but the first `kept` that are under way. */
  truncate(kept: number): void {
    for (const dropped of this.#queue.splice(kept)) this.#bytes -= dropped.bytes;
  }

  dropOldest(): void {
    this.#bytes -= this.#queue.shift()?.bytes ?? 0;
  }

  clear(): void {
    this.truncate(0);
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** Goes on after a cut. */
  resume(): void {
    if (this.#cancelTimer !== null || this.#queue.length === 0) return;
    const delayMs = Math.max(0, this.#queue[0]!.atMs - this.#network.time.monotonicMs());
    this.#cancelTimer = this.#network.time.setTimer(delayMs, () => {
      this.#cancelTimer = null;
      if (this.#network.isCut(this.#from, this.#to)) return;
      const first = this.#queue.shift();
      if (first !== undefined) {
        this.#bytes -= first.bytes;
        this.#deliver(first.item);
      }
      this.resume();
    });
  }
}
