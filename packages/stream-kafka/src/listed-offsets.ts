import { listOffsets } from './apis/list-offsets.ts';
import type { PartitionMetadata } from './apis/metadata.ts';
import type { KafkaCluster } from './cluster.ts';
import { brokerError } from './errors.ts';
import { leaderOf, type Topics } from './topics.ts';

/**
 * Offsets of all partitions of a topic, each from its leader, at a time or at `earliest` or `latest`; -1 where no
 * record is that late.
 * @throws KafkaError; LogError UNKNOWN_TOPIC
 */
export function listedOffsets(
  cluster: KafkaCluster,
  topics: Topics,
  topic: string,
  timestampUnixMs: number,
): Promise<number[]> {
  return cluster.retry(async () => {
    const found = await topics.existing(topic);
    const byLeader = new Map<number, PartitionMetadata[]>();
    for (const { partition } of found.partitions) {
      const leader = leaderOf(found, partition);
      byLeader.set(leader.leader, [...(byLeader.get(leader.leader) ?? []), leader]);
    }
    const offsets = new Array<number>(found.partitions.length).fill(-1);
    await Promise.all(
      [...byLeader].map(async ([leader, partitions]) => {
        const answer = await cluster.ask(leader, listOffsets, { topic, partitions, timestampUnixMs });
        for (const { partition, error, offset } of answer) {
          if (error !== 0) throw brokerError(`asking for offsets of ${topic}/${partition}`, error);
          offsets[partition] = offset;
        }
      }),
    );
    return offsets;
  });
}
