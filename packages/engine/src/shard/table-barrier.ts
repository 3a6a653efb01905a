import type { FromShard } from '../shard-messages.ts';

/** A question that is under way, or answered. */
export interface BarrierAnswer {
  /** What the table has to show; null: not known yet, or nobody could say. */
  readonly index: number | null;
  /** Nobody could say: ask again. */
  readonly isRefused: boolean;
}

/**
 * Asks, by way of the control thread, up to where the lease table has to be caught up with, so that it shows everything
 * that was committed before the question (a read barrier: Raft dissertation, 6.4).
 */
export class TableBarrier {
  readonly #send: (message: FromShard) => void;
  readonly #asked = new Map<number, { index: number | null; isRefused: boolean }>();
  #lastId = 0;

  constructor(send: (message: FromShard) => void) {
    this.#send = send;
  }

  ask(): BarrierAnswer {
    const id = ++this.#lastId;
    const answer = { index: null, isRefused: false };
    this.#asked.set(id, answer);
    this.#send({ kind: 'barrier', id });
    return answer;
  }

  answered(id: number, index: number | null): void {
    const answer = this.#asked.get(id);
    if (answer === undefined) return;
    this.#asked.delete(id);
    answer.index = index;
    answer.isRefused = index === null;
  }
}
