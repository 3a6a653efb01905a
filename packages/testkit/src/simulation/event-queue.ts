import type { VirtualProcess } from './virtual-process.ts';

export interface QueuedEvent {
  atMs: number;
  /** Seeded: orders what falls due at one moment. */
  tie: number;
  seq: number;
  /** Whose code runs; null for the world itself. */
  readonly owner: VirtualProcess | null;
  /** quiet: no code of a node runs, so no promise goes on. */
  readonly kind: 'timer' | 'io' | 'quiet';
  readonly name: string;
  readonly fn: () => void;
  isCancelled: boolean;
}

/** A heap ordered by (time, seeded tie-break, order of coming). */
export class EventQueue {
  readonly #heap: QueuedEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): QueuedEvent | undefined {
    return this.#heap[0];
  }

  push(event: QueuedEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  pop(): QueuedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.tie !== b.tie ? a.tie < b.tie : a.seq < b.seq;
}
