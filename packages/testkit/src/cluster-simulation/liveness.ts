import { whatControlMisses } from '../simulation/liveness.ts';
import { inputTopic } from './cluster-job.ts';
import type { ClusterWorld } from './cluster-world.ts';

/** What keeps the cluster from being in order, with every record durable (I8); null when nothing does. */
export function whatIsMissing(world: ClusterWorld): string | null {
  return whatControlMisses(world) ?? whatRecordsMiss(world);
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
