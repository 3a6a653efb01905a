import { latest, listOffsets } from './apis/list-offsets.ts';
import type { PartitionMetadata } from './apis/metadata.ts';
import type { KafkaCluster } from './cluster.ts';
import { brokerError, KafkaError } from './errors.ts';
import { leaderOf, type Topics } from './topics.ts';

/**
 * Offsets of partitions of a topic, each from its leader, at a time or at `earliest` or `latest`; -1 where no record is
 * that late. Of all partitions, or of those named, in that order: one without a leader is waited for only by who asks for it.
 * @throws KafkaError; LogError UNKNOWN_TOPIC
 */
export function listedOffsets(
  cluster: KafkaCluster,
  topics: Topics,
  topic: string,
  timestampUnixMs: number,
  asked?: readonly number[],
): Promise<number[]> {
  return cluster.retry(async () => {
    const found = await topics.existing(topic);
    const numbers = asked ?? found.partitions.map(({ partition }) => partition);
    const byLeader = new Map<number, PartitionMetadata[]>();
    for (const partition of numbers) {
      const leader = leaderOf(found, partition);
      byLeader.set(leader.leader, [...(byLeader.get(leader.leader) ?? []), leader]);
    }
    const offsets = new Map<number, number>();
    await Promise.all(
      [...byLeader].map(async ([leader, partitions]) => {
        const answer = await cluster.ask(leader, listOffsets, { topic, partitions, timestampUnixMs });
        for (const { partition, error, offset } of answer) {
          if (error !== 0) throw brokerError(`asking for offsets of ${topic}/${partition}`, error);
          offsets.set(partition, offset);
        }
      }),
    );
    return numbers.map((partition) => {
      const offset = offsets.get(partition);
      // Not to be taken for a partition that has no record that late.
      if (offset === undefined)
        throw new KafkaError('UNREACHABLE', `no offset of ${topic}/${partition} was in its leader's answer`);
      return offset;
    });
  });
}

/**
 * Per partition, where the first record of that time or later is; the end where there is none. The ends are asked for
 * first: one asked for later would lie beyond a record that came between the two answers.
 * @param listed answers as `listedOffsets` does
 */
export async function offsetsSince(
  listed: (timestampUnixMs: number) => Promise<number[]>,
  timestampUnixMs: number,
): Promise<number[]> {
  const ends = await listed(latest);
  const found = await listed(timestampUnixMs);
  return found.map((offset, at) => (offset >= 0 ? offset : ends[at]!));
}
