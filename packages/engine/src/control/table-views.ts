import type { LeaseTable } from '@holdfast/lease';
import type { SessionId } from '@holdfast/model';
import type { DirectoryEntry, LeasedPartition } from '../shard-messages.ts';

/** Where the shards of all live sessions listen. An incarnation's first address is its node's own. */
export function directoryOf(table: LeaseTable): DirectoryEntry[] {
  return [...table.sessions()].map(({ session, nodeId, addresses, closing }) => ({
    session,
    nodeId,
    closing,
    shardAddresses: addresses.slice(1),
  }));
}

/** The partitions leased to each shard of a session, by shard index. */
export function partitionsOf(table: LeaseTable, session: SessionId, shards: number): LeasedPartition[][] {
  const lists: LeasedPartition[][] = Array.from({ length: shards }, () => []);
  for (const { topic, topicId, startPartitions } of table.topics()) {
    for (const [partition, lease] of table.partitionLeases(topicId).entries()) {
      if (lease?.session !== session) continue;
      const wasThere = partition < startPartitions;
      lists[lease.shard]?.push({ topic, topicId, partition, epoch: lease.epoch, wasThere });
    }
  }
  return lists;
}
