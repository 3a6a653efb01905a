import { whatControlMisses, whatOutlasts } from '../simulation/liveness.ts';
import type { ControlWorld } from './control-world.ts';

/** What keeps the world from being in order; null when it is. */
export function whatIsMissing(world: ControlWorld): string | null {
  return whatOutlasts(world) ?? whatControlMisses(world) ?? whatUnitsMiss(world);
}

function whatUnitsMiss(world: ControlWorld): string | null {
  const { upNodes, plan } = world;
  const { table } = world.leader!.control!;
  const wished = new Set(upNodes.flatMap(({ shards }) => shards.flatMap((shard) => [...shard.wished])));
  for (const [unit, { hi, lo }] of plan.units.entries()) {
    if (!wished.has(unit)) continue;
    const lease = table.get(hi, lo);
    if (lease === null) return `unit ${unit} has no holder`;
    const shard = world.node(lease.nodeId).shards[lease.shard]!;
    if (shard.session !== lease.session || shard.open.get(unit) !== lease.epoch) return `unit ${unit} isn't open`;
  }
  return null;
}
