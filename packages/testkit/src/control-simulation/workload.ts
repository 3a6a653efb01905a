import { randomBelow } from '@holdfast/model';
import { beginBackground, pick, repeat, takeBack } from '../simulation/background.ts';
import type { ControlWorld } from './control-world.ts';

/** What goes on all the time: records of units come and stop coming, beside what goes on in every cluster. */
export function beginWorkload(world: ControlWorld): void {
  repeat(world, 'wish', world.plan.wishEveryMs, () => wish(world));
  beginBackground(world);
}

function wish(world: ControlWorld): void {
  if (world.isHealing) takeBack(world);
  const node = pick(world, world.upNodes);
  const shard = node === undefined ? undefined : pick(world, node.shards);
  if (shard === undefined || shard.isEnded || node!.process!.isPaused) return;
  const unit = randomBelow(world.rng, world.plan.units.length);
  if (world.isHealing || randomBelow(world.rng, 10) < 6) shard.wished.add(unit);
  else shard.forget(shard.open.size > 0 ? pick(world, [...shard.open.keys()])! : unit);
}
