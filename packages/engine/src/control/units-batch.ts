import type { Timers } from '../ports/timers.ts';
import type { ShardUnits } from './calls.ts';

/** While a call is under way, what comes is gathered for so long: a grant costs a quorum round, whatever it holds. */
export const batchWaitMsMax = 2;
/** So many units don't wait for more. */
export const batchUnitsFull = 1_000;
/** Units in one call: an entry of 16 KiB, a millisecond or two of the leader's time. */
export const batchUnitsCallMax = 2_048;
/**
 * Calls under way; while there are so many, units are gathered for the next one. They may reach the leader in one turn of its
 * loop, so this bounds how long it stands still.
 */
export const unitCallsMax = 8;
/** Beyond this, what shards ask for is dropped: they ask again while their records wait. */
export const batchUnitsMax = 65_536;

interface Part {
  readonly shard: number;
  units: Uint32Array;
}

/**
 * Gathers what the shards of this node ask of the leader into few calls. The first unit after a quiet moment leaves at
 * once; under load calls grow instead of becoming more. Nothing here is kept for a retry: shards repeat what they still need.
 */
export class UnitsBatch {
  readonly #timers: Timers;
  readonly #wordsPerUnit: number;
  readonly #send: (batch: readonly ShardUnits[]) => Promise<unknown>;
  #waiting: Part[] = [];
  #unitCount = 0;
  #calls = 0;
  #isDue = false;
  #cancel: (() => void) | undefined;
  droppedCount = 0;

  /** `send` resolves when its call is over, however it ended. */
  constructor(timers: Timers, wordsPerUnit: number, send: (batch: readonly ShardUnits[]) => Promise<unknown>) {
    this.#timers = timers;
    this.#wordsPerUnit = wordsPerUnit;
    this.#send = send;
  }

  add(shard: number, units: Uint32Array): void {
    const asked = units.length / this.#wordsPerUnit;
    // What there is room for: one message may be above the bound by itself, and would be each time that it is repeated.
    const count = Math.min(asked, batchUnitsMax - this.#unitCount);
    this.droppedCount += asked - count;
    if (count === 0) return;
    this.#waiting.push({ shard, units: units.subarray(0, count * this.#wordsPerUnit) });
    this.#unitCount += count;
    this.#flush();
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = [];
    this.#unitCount = 0;
    this.#isDue = false;
  }

  #flush(): void {
    while (this.#unitCount > 0 && this.#calls < unitCallsMax) {
      if (this.#calls > 0 && !this.#isDue && this.#unitCount < batchUnitsFull) {
        this.#cancel ??= this.#timers.setTimer(batchWaitMsMax, () => this.#onDue());
        return;
      }
      this.#call(this.#take());
    }
  }

  #onDue(): void {
    this.#cancel = undefined;
    this.#isDue = true;
    this.#flush();
  }

  #call(batch: ShardUnits[]): void {
    this.#calls++;
    void this.#send(batch).finally(() => {
      this.#calls--;
      this.#flush();
    });
  }

  /** The oldest units, up to a call's worth, in one piece per shard. */
  #take(): ShardUnits[] {
    const pieces = new Map<number, Uint32Array[]>();
    let room = batchUnitsCallMax * this.#wordsPerUnit;
    let taken = 0;
    while (taken < this.#waiting.length && room > 0) {
      const part = this.#waiting[taken]!;
      const units = part.units.length <= room ? part.units : part.units.subarray(0, room);
      room -= units.length;
      this.#unitCount -= units.length / this.#wordsPerUnit;
      const list = pieces.get(part.shard);
      if (list === undefined) pieces.set(part.shard, [units]);
      else list.push(units);
      if (units.length < part.units.length) part.units = part.units.subarray(units.length);
      else taken++;
    }
    this.#waiting.splice(0, taken);
    if (this.#unitCount === 0) {
      this.#isDue = false;
      this.#cancel?.();
      this.#cancel = undefined;
    }
    return [...pieces].map(([shard, parts]) => ({ shard, units: concat(parts) }));
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
