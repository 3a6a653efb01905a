import type { Timers } from '../ports/timers.ts';
import type { UserAnswer } from '../shard-messages.ts';
import type { ShardPort } from './shard-port.ts';

/** Queries that wait for their shard; more are refused. */
export const queriesMax = 1_000;

/** What a shard said of a user; `code` UNANSWERED when it didn't in time, BUSY when too many wait. */
export type QueryAnswer =
  | { readonly code: 'OK'; readonly user: UserAnswer | null }
  | { readonly code: 'UNANSWERED' | 'BUSY' | 'NO_SHARD' | 'UNREACHABLE'; readonly text: string };

/** Asks the shards of this node for users' states, each with a deadline. */
export class ShardQueries {
  readonly #timers: Timers;
  readonly #waiting = new Map<number, (answer: QueryAnswer) => void>();
  #nextId = 1;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  ask(shard: ShardPort | undefined, key: Uint8Array, timeoutMs: number): Promise<QueryAnswer> {
    if (shard === undefined) return Promise.resolve({ code: 'NO_SHARD', text: 'no such shard here' });
    if (this.#waiting.size >= queriesMax) return Promise.resolve({ code: 'BUSY', text: `${queriesMax} queries wait` });
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const cancel = this.#timers.setTimer(timeoutMs, () => {
        this.#waiting.delete(id);
        resolve({ code: 'UNANSWERED', text: `no answer within ${timeoutMs} ms` });
      });
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        cancel();
        resolve(answer);
      });
      shard.post({ kind: 'query', id, key });
    });
  }

  answered(id: number, user: UserAnswer | null): void {
    this.#waiting.get(id)?.({ code: 'OK', user });
  }

  /** The shards are gone. */
  clear(): void {
    for (const resolve of [...this.#waiting.values()]) resolve({ code: 'UNANSWERED', text: 'the shards have ended' });
  }
}
