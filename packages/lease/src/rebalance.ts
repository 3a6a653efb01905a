import type { NodeId, SessionId, ShardIndex, ShardRef } from '@holdfast/model';
import { fillLevels } from './placement.ts';

/** A live shard, as the planner sees it. */
export interface BalanceShard {
  readonly session: SessionId;
  readonly shard: ShardIndex;
  readonly nodeId: NodeId;
  /** Units leased to it now. */
  readonly units: number;
  /** It may be given units: it isn't silent, draining or closing. */
  readonly receives: boolean;
  /** Its node drains: everything goes. */
  readonly leaves: boolean;
}

/** So many units of one shard to another. Which of them, their holder chooses: it knows those that nobody misses. */
export interface UnitsMove {
  readonly from: ShardRef;
  readonly to: ShardRef;
  readonly count: number;
}

/** See `LeaseOptions` for how placement keeps units near their data: balance must not undo that. */
export interface RebalanceOptions {
  /** Part of all units that one round may move. */
  readonly budgetRatio: number;
  /** ... but so many always: so few burden nobody, and a small cluster has to get done. */
  readonly budgetMin: number;
  /** Balancing begins when a shard is further than this part of the mean, and `slack`, away from the mean ... */
  readonly startRatio: number;
  /** ... and ends when none is further than this part, and a quarter of the slack. */
  readonly stopRatio: number;
  readonly slack: number;
}

export const defaultRebalanceOptions: RebalanceOptions = Object.freeze({
  budgetRatio: 0.09,
  budgetMin: 64,
  startRatio: 0.25,
  stopRatio: 0.05,
  slack: 256,
});

export interface RebalanceInput {
  readonly shards: readonly BalanceShard[];
  /** A node is unreachable, or a rollout is under way: nothing is moved for balance. Draining goes on: somebody asked for it. */
  readonly paused: boolean;
  /** What the last round's answer said. */
  readonly balancing: boolean;
}

export interface RebalanceRound {
  readonly moves: readonly UnitsMove[];
  /** Balancing is under way: goes into the next round (hysteresis). */
  readonly balancing: boolean;
}

/** Units that a round may move at most. */
export function roundBudget(shards: readonly BalanceShard[], options: RebalanceOptions): number {
  const total = shards.reduce((sum, { units }) => sum + units, 0);
  return Math.max(options.budgetMin, Math.floor(total * options.budgetRatio));
}

/** Plans one round: first off the shards that leave, with what is left of the budget towards an even load. */
export function planRound(input: RebalanceInput, options: RebalanceOptions): RebalanceRound {
  const { shards, paused } = input;
  const staying = shards.filter(({ receives, leaves }) => receives && !leaves);
  if (staying.length === 0) return { moves: [], balancing: false };
  const budget = roundBudget(shards, options);
  const leaving = shards.filter(({ leaves, units }) => leaves && units > 0);
  if (leaving.length > 0) return { moves: drainMoves(leaving, staying, budget), balancing: input.balancing };
  const balancing = isUneven(staying, options, input.balancing);
  return { moves: balancing && !paused ? evenMoves(staying, budget) : [], balancing };
}

function isUneven(shards: readonly BalanceShard[], options: RebalanceOptions, isActive: boolean): boolean {
  const mean = meanOf(shards);
  const ratio = isActive ? options.stopRatio : options.startRatio;
  const slack = isActive ? options.slack / 4 : options.slack;
  return shards.some(({ units }) => Math.abs(units - mean) > mean * ratio + slack);
}

function drainMoves(leaving: readonly BalanceShard[], staying: readonly BalanceShard[], budget: number): UnitsMove[] {
  const total = leaving.reduce((sum, { units }) => sum + units, 0);
  const room = fillLevels(
    staying.map(({ units }) => units),
    Math.min(total, budget),
  );
  return pair(
    leaving.map((shard) => ({ shard, count: shard.units })),
    staying.map((shard, i) => ({ shard, count: room[i]! })),
    budget,
  );
}

/** From whoever has more than the mean to whoever has less, so that no shard both gives and gets. */
function evenMoves(shards: readonly BalanceShard[], budget: number): UnitsMove[] {
  const mean = meanOf(shards);
  const giving = shards.map((shard) => ({ shard, count: Math.max(0, shard.units - Math.ceil(mean)) }));
  const getting = shards.map((shard) => ({ shard, count: Math.max(0, Math.floor(mean) - shard.units) }));
  const most = (a: { count: number }, b: { count: number }) => b.count - a.count;
  return pair(giving.sort(most), getting.sort(most), budget);
}

interface Part {
  readonly shard: BalanceShard;
  readonly count: number;
}

/** Gives the parts of one list to those of the other, in their order, until one of them or the budget is used up. */
function pair(giving: readonly Part[], getting: readonly Part[], budget: number): UnitsMove[] {
  const moves: UnitsMove[] = [];
  const rooms = getting.map(({ shard, count }) => ({ shard, count }));
  let left = budget;
  let to = 0;
  for (const { shard, count } of giving) {
    let rest = Math.min(count, left);
    while (rest > 0 && to < rooms.length) {
      const room = rooms[to]!;
      const n = Math.min(rest, room.count);
      if (n > 0) moves.push({ from: refOf(shard), to: refOf(room.shard), count: n });
      rest -= n;
      left -= n;
      room.count -= n;
      if (room.count === 0) to++;
    }
  }
  return moves;
}

function meanOf(shards: readonly BalanceShard[]): number {
  return shards.reduce((sum, { units }) => sum + units, 0) / shards.length;
}

function refOf({ session, shard }: BalanceShard): ShardRef {
  return { session, shard };
}
