import type { SessionId, ShardIndex } from '@holdfast/model';

/** A shard that may be given units, and how many it has, those in flight included. */
export interface ShardRoom {
  readonly session: SessionId;
  readonly shard: ShardIndex;
  readonly units: number;
}

/** See `LeaseOptions.boundedLoadFactor` and `boundedLoadSlack`. */
export interface LoadBound {
  readonly factor: number;
  readonly slack: number;
}

/**
 * How many more units a shard may have near its data: up to `factor` times the mean after the grant, plus `slack`.
 * Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent hashing with bounded loads", with the asker as first choice.
 */
export function boundedRoom(shards: readonly ShardRoom[], asker: number, count: number, bound: LoadBound): number {
  let total = count;
  for (const shard of shards) total += shard.units;
  const limit = Math.floor((total / shards.length) * bound.factor + bound.slack);
  return Math.max(0, Math.min(count, limit - shards[asker]!.units));
}

/**
 * Gives `count` units out one by one to whoever has least (the first of equals), but by filling up levels instead of
 * one by one: O(shards log shards).
 * @returns how many each shard gets, in the order of `loads`
 */
export function fillLevels(loads: readonly number[], count: number): number[] {
  const order = loads.map((_, i) => i).sort((a, b) => loads[a]! - loads[b]! || a - b);
  let filled = 0;
  let level = 0;
  let rest = count;
  // The `filled` least loaded stand at `level`; raise them together until the units are used up.
  while (filled < order.length) {
    const next = loads[order[filled]!]!;
    const cost = (next - level) * filled;
    if (cost > rest) break;
    rest -= cost;
    level = next;
    filled++;
  }
  const given = loads.map(() => 0);
  if (filled === 0) return given;
  const each = Math.floor(rest / filled);
  const extra = rest - each * filled;
  const first = order.slice(0, filled).sort((a, b) => a - b);
  for (const [rank, i] of first.entries()) given[i] = level + each - loads[i]! + (rank < extra ? 1 : 0);
  return given;
}

/** The asker as far as its bound allows, the rest to the least loaded. `asker` -1: nobody is near. */
export function placeUnits(shards: readonly ShardRoom[], asker: number, count: number, bound: LoadBound): number[] {
  const near = asker < 0 ? 0 : boundedRoom(shards, asker, count, bound);
  const loads = shards.map((shard, i) => shard.units + (i === asker ? near : 0));
  const counts = fillLevels(loads, count - near);
  if (near > 0) counts[asker]! += near;
  return counts;
}
