import { whatControlMisses } from '../simulation/liveness.ts';
import { releasedAfter, whoIsNotHeld } from './checkers/held-units.ts';
import { inputTopic } from './cluster-job.ts';
import type { ClusterWorld } from './cluster-world.ts';

/** What keeps the cluster from being in order, with every record durable (I8); null when nothing does. */
export function whatIsMissing(world: ClusterWorld): string | null {
  return whatControlMisses(world) ?? whatRecordsMiss(world) ?? whatUnitsMiss(world);
}

function whatRecordsMiss(world: ClusterWorld): string | null {
  const { log, store, upNodes } = world;
  const { topicId } = log.describe(inputTopic)!;
  const { generationId } = store;
  for (const [partition, end] of log.offsetsAt(inputTopic, 'latest').entries()) {
    const committed = log.committed({ topicId, partition });
    if (committed?.offset !== end || committed.generationId !== generationId)
      return `${inputTopic}/${partition} ends at ${end}, and is committed at ${committed?.offset ?? 'nothing'} of generation ${committed?.generationId ?? 'none'}, now ${generationId}`;
  }
  for (const { id, shards, control } of upNodes) {
    for (const { stats, session, index } of shards) {
      if (session !== control!.session) return `${id}/${index} is of another session`;
      if (stats.get('parkedRecords') > 0) return `${id}/${index} has records that wait`;
    }
  }
  return null;
}

function whatUnitsMiss(world: ClusterWorld): string | null {
  const { allFed, plan, time, records, checks } = world;
  if (allFed === null) return null;
  const { table } = world.leader!.control!;
  const mayBeIdle = time.nowMs - allFed.atMs >= plan.idleMs / (1 + plan.clockDriftRatio);
  // What was durable by then isn't read again, so that nobody asks for another holder.
  const hasEnded =
    table.reader.uncleanIndex() > allFed.index ||
    [...checks.model.ended.values()].some(({ index }) => index > allFed.index);
  const released = releasedAfter(checks.log.entries, allFed.index);
  return whoIsNotHeld({
    // Where the row can't be read no claim is ever accepted: such units are sealed, and their records buried.
    users: plan.users.filter(({ unitKey }) => !records.quarantine.wasBent(unitKey)),
    fedIndex: allFed.index,
    mayBeUnheld: ({ unitKey }) => mayBeIdle || hasEnded || released.has(unitKey),
    leaseOf: ({ unit }) => {
      const lease = table.get(unit.hi, unit.lo);
      return lease === null ? null : { epoch: lease.epoch, grantIndex: lease.epoch - table.epochBase };
    },
    claimedBy: ({ unit, unitKey }) => {
      const { nodeId, shard: index, session } = table.get(unit.hi, unit.lo)!;
      const shard = world.node(nodeId).shards[index];
      if (shard === undefined || shard.session !== session) return undefined;
      return records.appliers.claimedEpoch(shard.settings.serial, unitKey);
    },
  });
}
