import type { Timers } from '../ports/timers.ts';
import type { ShardUnits } from './calls.ts';

/** A batch leaves when it is this old or this large: a grant costs a quorum round, whatever it holds. */
export const batchWaitMsMax = 2;
export const batchUnitsFull = 1_000;
/** Beyond this, what shards ask for is dropped: they ask again while their records wait. */
export const batchUnitsMax = 65_536;

/**
 * Gathers what the shards of this node ask of the leader into few calls. Nothing here is kept for a retry:
 * shards repeat what they still need.
 */
export class UnitsBatch {
  readonly #timers: Timers;
  readonly #wordsPerUnit: number;
  readonly #flush: (batch: readonly ShardUnits[]) => void;
  #waiting = new Map<number, Uint32Array[]>();
  #unitCount = 0;
  #cancel: (() => void) | undefined;
  droppedCount = 0;

  constructor(timers: Timers, wordsPerUnit: number, flush: (batch: readonly ShardUnits[]) => void) {
    this.#timers = timers;
    this.#wordsPerUnit = wordsPerUnit;
    this.#flush = flush;
  }

  add(shard: number, units: Uint32Array): void {
    const count = units.length / this.#wordsPerUnit;
    if (count === 0) return;
    if (this.#unitCount + count > batchUnitsMax) {
      this.droppedCount += count;
      return;
    }
    const list = this.#waiting.get(shard);
    if (list === undefined) this.#waiting.set(shard, [units]);
    else list.push(units);
    this.#unitCount += count;
    if (this.#unitCount >= batchUnitsFull) this.flush();
    else this.#cancel ??= this.#timers.setTimer(batchWaitMsMax, () => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#unitCount === 0) return;
    const batch = [...this.#waiting].map(([shard, parts]) => ({ shard, units: concat(parts) }));
    this.#waiting = new Map();
    this.#unitCount = 0;
    this.#flush(batch);
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = new Map();
    this.#unitCount = 0;
  }
}

function concat(parts: readonly Uint32Array[]): Uint32Array {
  if (parts.length === 1) return parts[0]!;
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
