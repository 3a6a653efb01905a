import type { ShardRef } from '@holdfast/model';
import {
  type BalanceShard,
  defaultRebalanceOptions,
  planRound,
  type RebalanceOptions,
  type UnitsMove,
} from './rebalance.ts';

/** What one shard shall hand over now, in place of what it was told before; empty: nothing more. */
export interface HandOverOrder {
  readonly from: ShardRef;
  readonly moves: readonly { readonly to: ShardRef; readonly count: number }[];
}

export interface RebalancerInput {
  readonly shards: readonly BalanceShard[];
  /** A node is unreachable or was until lately, or a rollout is under way. */
  readonly paused: boolean;
}

/** Rounds come no faster than this: the budget is per round. */
const roundMsMin = 1_000;
/** A round that isn't done by then is given up: its holders may be gone, or slow. */
const roundMsMax = 10_000;

/** Where the leader stands with balancing, for status pages. */
export interface BalancingState {
  readonly balancing: boolean;
  readonly paused: boolean;
  /** Units that the present round still has to move. */
  readonly left: number;
}

/**
 * The rounds of a leader: plans one, has its orders sent, counts what moved, and plans the next when that is done. Orders
 * replace each other, so losing one, or all with the leadership, costs no more than time. Volatile, as the coordinator is.
 */
export class Rebalancer {
  readonly #options: RebalanceOptions;
  #balancing = false;
  #paused = false;
  #begunAtMs = Number.NEGATIVE_INFINITY;
  #left = 0;
  /** Shards with an order that is not empty. */
  #ordered = new Map<string, ShardRef>();

  constructor(options: Partial<RebalanceOptions> = {}) {
    this.#options = { ...defaultRebalanceOptions, ...options };
  }

  get state(): BalancingState {
    return { balancing: this.#balancing, paused: this.#paused, left: Math.max(0, this.#left) };
  }

  /** So many units were moved, as applied entries tell. */
  onMoved(units: number): void {
    this.#left -= units;
  }

  /** Call it at each tick. Orders to send, if any. */
  tick(nowMs: number, input: RebalancerInput): HandOverOrder[] {
    this.#paused = input.paused;
    const ageMs = nowMs - this.#begunAtMs;
    // A pause ends what is under way at once, unless it is a drain.
    const mustStop = input.paused && this.#ordered.size > 0 && !input.shards.some(({ leaves }) => leaves);
    if (!mustStop && (ageMs < roundMsMin || (this.#left > 0 && ageMs < roundMsMax))) return [];
    const { moves, balancing } = planRound({ ...input, balancing: this.#balancing }, this.#options);
    this.#balancing = balancing;
    if (moves.length === 0 && this.#ordered.size === 0) return [];
    this.#begunAtMs = nowMs;
    this.#left = moves.reduce((sum, { count }) => sum + count, 0);
    return this.#orders(moves);
  }

  #orders(moves: readonly UnitsMove[]): HandOverOrder[] {
    const orders = new Map<string, HandOverOrder>();
    for (const [key, from] of this.#ordered) orders.set(key, { from, moves: [] });
    this.#ordered = new Map();
    for (const { from, to, count } of moves) {
      const key = `${from.session}/${from.shard}`;
      const before = this.#ordered.has(key) ? orders.get(key)!.moves : [];
      orders.set(key, { from, moves: [...before, { to, count }] });
      this.#ordered.set(key, from);
    }
    return [...orders.values()];
  }
}
