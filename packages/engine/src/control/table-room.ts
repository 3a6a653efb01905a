import type { LeaseTable } from '@holdfast/lease';
import type { SessionId, ShardIndex } from '@holdfast/model';

/** Above this part of its capacity the table is nearly full: holders release what has been idle longest. */
export const roomHighRatio = 0.95;
/** ... until it is down to this. */
export const roomLowRatio = 0.9;
/** Time between two askings: most of those asked for have left the table by then; of what hasn't, a little more is asked. */
export const roomEveryMs = 250;
/** Units that one shard is asked to release at a time: bounds its work, and the store's. */
export const roomUnitsMax = 2_048;

/**
 * Keeps the table below its capacity (`unitsMax`): each node compares what its own table shows with the marks, and asks each
 * of its shards for its part of what is too much. No timer and no list per unit; the shards choose.
 */
export class TableRoom {
  readonly #table: LeaseTable;
  readonly #unitsMax: number;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isShort = false;

  constructor(table: LeaseTable, unitsMax: number) {
    this.#table = table;
    this.#unitsMax = unitsMax;
  }

  /** How many units each of the session's shards shall release now; null: none. Call it every so often. */
  ask(session: SessionId, shards: number, nowMs: number): number[] | null {
    const { unitCount } = this.#table;
    const isShort = unitCount > this.#unitsMax * (this.#isShort ? roomLowRatio : roomHighRatio);
    this.#isShort = isShort;
    if (!isShort || nowMs - this.#askedAtMs < roomEveryMs) return null;
    this.#askedAtMs = nowMs;
    const excessRatio = 1 - (this.#unitsMax * roomLowRatio) / unitCount;
    return Array.from({ length: shards }, (_, shard) => {
      const held = this.#table.load(session, shard as ShardIndex);
      return Math.min(roomUnitsMax, Math.ceil(held * excessRatio));
    });
  }
}
