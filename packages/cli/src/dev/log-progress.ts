import type { LmdbLog } from '@holdfast/embedded';
import type { TopicInfo } from '@holdfast/engine';

export interface LogProgress {
  /** Records in the topic. */
  readonly end: number;
  /** Of them below the committed offsets: applied and backed up. */
  readonly committed: number;
}

/** How far a group has committed a topic, over all partitions. */
export async function logProgress(log: LmdbLog, topic: TopicInfo, group: string): Promise<LogProgress> {
  const ends = await log.endOffsets(topic.topic);
  let end = 0;
  let committed = 0;
  for (const [partition, endOffset] of ends.entries()) {
    const found = await log.committed(group, { topicId: topic.topicId, partition });
    end += endOffset;
    committed += found?.offset ?? 0;
  }
  return { end, committed };
}
