import { whatControlMisses } from '../simulation/liveness.ts';
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

/**
 * Once every user has had its last record, each unit has a holder that has claimed it: until it has been idle for as long
 * as the job says. One that was moved since is claimed with its next record.
 */
function whatUnitsMiss(world: ClusterWorld): string | null {
  const { allFed, plan, time } = world;
  if (allFed === null) return null;
  const { table } = world.leader!.control!;
  const mayBeIdle = time.nowMs - allFed.atMs >= plan.idleMs / (1 + plan.clockDriftRatio);
  for (const { index, unit, unitKey } of plan.users) {
    const lease = table.get(unit.hi, unit.lo);
    if (lease === null && !mayBeIdle) return `user ${index} has no holder`;
    if (lease === null || lease.epoch - table.epochBase > allFed.index) continue;
    const shard = world.node(lease.nodeId).shards[lease.shard];
    const isThere = shard !== undefined && shard.session === lease.session;
    if (!isThere || world.records.appliers.claimedEpoch(shard.settings.serial, unitKey) !== lease.epoch)
      return `user ${index} has a holder that hasn't claimed its unit`;
  }
  return null;
}
